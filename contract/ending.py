"""End a run from outside: one terminal status, and the one event that is made from it."""

from __future__ import annotations

from contract import events
from contract.events import Event, EventData
from contract.exceptions import MMMError
from contract.run import RunError, State, Status, change_status, create_status, now
from contract.stores.base import Store
from contract.topics.base import Publisher


def fault_of(error: MMMError, *, step: str | None = None) -> RunError:
    """An error as status and event tell it."""
    return RunError(
        code=error.exit_code,
        step=error.step or step,
        kind=type(error).__name__,
        message=error.message,
    )


def end(
    store: Store, *, run_id: str, market: str, revision: str, state: State, error: RunError
) -> Status:
    """Put a run into a terminal state, unless it is in one; returns what is stored then."""

    def outcome(since: Status | None) -> dict[str, object]:
        data = EventData(
            run_id=run_id,
            state=state,
            market=market,
            revision=revision,
            duration_seconds=round((at - since.created_at).total_seconds(), 3) if since else None,
            error=error,
        )
        return data.model_dump(mode="json")

    at = now()
    first = Status(
        run_id=run_id,
        state=state,
        market=market,
        revision=revision,
        created_at=at,
        updated_at=at,
        error=error,
        outcome=outcome(None),
    )
    if create_status(store, first):
        return first
    return change_status(
        store, run_id, lambda old: {"state": state, "error": error, "outcome": outcome(old)}
    )


def tell(store: Store, publisher: Publisher, status: Status) -> int:
    """Store the event of a terminal status and publish what the outbox holds.

    Returns how many events were published.

    Raises:
        TransientError, ServiceError: the topic cannot be reached; the event waits in the outbox.
    """
    data = EventData.model_validate(status.outcome)
    events.put(store, Event.of(data, at=status.updated_at))
    return events.flush(store, publisher, status.run_id)
