"""End a run from outside: one terminal status, and the one event that is made from it."""

from __future__ import annotations

from pydantic import ValidationError

from contract import events, layout
from contract.events import Event, EventData
from contract.exceptions import DamagedError, MMMError, NotFoundError
from contract.run import RunError, State, Status, change_status, create_status, now
from contract.stored import read_fields
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


def is_promoted(store: Store, status: Status) -> bool:
    """Whether the run's results are its market's current ones: it has succeeded then.

    An attempt writes its outcome into the status before it moves the pointer, so a death between
    pointer and terminal state loses nothing.
    """
    if status.outcome.get("state") != State.SUCCEEDED:
        return False
    path = layout.current(status.revision, status.market)
    try:
        blob = store.read(path)
    except NotFoundError:
        return False
    return bool(read_fields(blob.data, "run_id", path=path)["run_id"] == status.run_id)


def end(
    store: Store, *, run_id: str, market: str, revision: str, state: State, error: RunError
) -> Status:
    """Put a run into a terminal state, unless it is in one; returns what is stored then.

    One whose results are its market's current ones becomes SUCCEEDED.
    """

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

    def change(old: Status) -> dict[str, object]:
        if is_promoted(store, old):
            return {"state": State.SUCCEEDED, "error": None}
        return {"state": state, "error": error, "outcome": outcome(old)}

    return change_status(store, run_id, change)


def told_outcome(status: Status) -> EventData:
    """What the event of a terminal status says.

    Raises:
        DamagedError: the status does not hold it.
    """
    try:
        return EventData.model_validate(status.outcome, extra="ignore")
    except ValidationError:
        raise DamagedError(layout.status(status.run_id), "`outcome` is no event") from None


def tell(store: Store, publisher: Publisher, status: Status) -> int:
    """Store the event of a terminal status and publish what the outbox holds.

    Returns how many events were published.

    Raises:
        TransientError, ServiceError: the topic cannot be reached; the event waits in the outbox.
    """
    data = told_outcome(status)
    events.put(store, Event.of(data, at=status.updated_at))
    return events.flush(store, publisher, status.run_id)
