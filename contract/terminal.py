"""End a run: one terminal status, and the one event that is made from it.

Every terminal status is made here, whether the job or another process ends the run.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from contract import events, layout
from contract.damage import unless_damaged
from contract.events import Event, EventData
from contract.exceptions import DamagedError, MMMError, NotFoundError
from contract.request import Request
from contract.run import RunError, State, Status, change_status, create_status, now
from contract.stored import read_fields
from contract.stores.base import Store
from contract.topics.base import Publisher


def run_error(error: MMMError, *, step: str | None = None) -> RunError:
    """Return an error in the form that status and event carry; `step` is used if it has none."""
    return RunError(
        code=error.exit_code,
        step=error.step or step,
        kind=type(error).__name__,
        message=error.message,
    )


def end_run(
    store: Store,
    data: EventData,
    *,
    steps: list[dict[str, Any]] | None = None,
    unless: Callable[[Status], bool] = lambda old: False,
) -> Status:
    """Put a run into the terminal state of `data`; return the stored status.

    A terminal state never changes. A run whose results are already its market's current ones
    becomes SUCCEEDED, even if a later step failed.

    Args:
        store: The bucket.
        data: What the run's event will say. A missing duration is filled in from the run's age.
        steps: The steps of the attempt that ends the run.
        unless: A condition on the stored status; if it is true, the status does not change.
    """
    written: dict[str, Any] = {"error": data.error} | ({} if data.error else {"step": None})
    if steps is not None:
        written["steps"] = steps

    def outcome(created_at: datetime) -> dict[str, Any]:
        seconds = data.duration_seconds
        if seconds is None:
            seconds = round((now() - created_at).total_seconds(), 3)
        return data.model_copy(update={"duration_seconds": seconds}).model_dump(mode="json")

    def change(old: Status) -> dict[str, Any]:
        if unless(old):
            return {}
        if data.state is not State.SUCCEEDED and is_promoted(store, old):
            return {**written, "state": State.SUCCEEDED, "step": None, "error": None}
        return {**written, "state": data.state, "outcome": outcome(old.created_at)}

    try:
        return change_status(store, data.run_id, change)
    except NotFoundError:
        at = now()
        first = Status(
            run_id=data.run_id,
            state=data.state,
            market=data.market or "",
            revision=data.revision or "",
            created_at=at,
            updated_at=at,
            error=data.error,
            outcome=data.model_dump(mode="json"),
        )
        return first if create_status(store, first) else change_status(store, data.run_id, change)


def end_request(store: Store, request: Request, state: State, error: RunError) -> Status:
    """End the run of a request with an error, from outside its job."""
    return end_run(
        store,
        EventData(
            run_id=request.run_id,
            state=state,
            market=request.market,
            revision=request.revision,
            error=error,
        ),
    )


def is_promoted(store: Store, status: Status) -> bool:
    """Return whether the run's results are its market's current ones, so it has succeeded.

    An attempt writes its outcome into the status before it moves the pointer, so that nothing is
    lost if it dies between the pointer and the terminal state.
    """
    return status.outcome.get("state") == State.SUCCEEDED and is_current(store, status)


def is_current(store: Store, status: Status) -> bool:
    """Return whether `current.json` of the run's market names the run."""
    path = layout.current(status.revision, status.market)

    def named() -> object:
        try:
            return read_fields(store.read(path).data, "run_id", path=path)["run_id"]
        except NotFoundError:
            return None

    then = f"it does not count as naming run {status.run_id}"
    return unless_damaged(named, None, then=then) == status.run_id


def event_data(status: Status) -> EventData:
    """Return the data of a terminal status's event.

    Raises:
        DamagedError: the status does not contain valid event data.
    """
    try:
        return EventData.model_validate(status.outcome, extra="ignore")
    except ValidationError:
        raise DamagedError(layout.status(status.run_id), "`outcome` is not an event") from None


def publish_end(store: Store, publisher: Publisher, status: Status) -> int:
    """Store the event of a terminal status, and publish the run's outbox.

    Returns:
        The number of published events.

    Raises:
        TransientError, ServiceError: the topic is unreachable; the event waits in the outbox.
    """
    events.put(store, Event.of(event_data(status), at=status.updated_at))
    return events.flush(store, publisher, status.run_id)
