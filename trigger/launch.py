"""Launch a stored request exactly once, although `run_job` has no request id.

The process that wrote the request may launch for CLAIM from then on. After that, a redelivery (or
`reconcile`) takes the claim over by generation, searches the job's executions for the run id, and
launches only if it finds none. CLAIM is three times the longest `run_job` call, so two launches can
meet only if a process slept through its claim; the job's lease then lets one of them work.

If Cloud Run refuses with 429 or 403, nothing was started: the claim is released, and the next
delivery launches at once. It also skips the search if every earlier launch was refused like this. A
claim is used and released by the generation of the status that it was taken with, so a process that
slept cannot disturb its successor.

A 403 ends a run only if the launch is still denied GRANT after the first one: a new grant of IAM
takes minutes to take effect.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contract import layout
from contract.config import Config
from contract.exceptions import (
    ConfigError,
    DeniedError,
    MMMError,
    PausedError,
    PreconditionError,
    ServiceError,
    TransientError,
)
from contract.pause import refuse_if_paused
from contract.request import Request, accepted_status
from contract.retries import GRANT
from contract.run import (
    LaunchClaim,
    State,
    Status,
    change_status,
    now,
    read_status,
    read_status_at,
)
from contract.stores import Store
from contract.terminal import end_request, run_error
from trigger.execution import Launch, Launcher, MaybeStartedError, NotStartedError

STEP = "launch"  # the step of a run that ends before its job begins
CLAIM = timedelta(seconds=90)
LONGEST_CLAIM = timedelta(hours=2)


@dataclass(frozen=True, kw_only=True)
class _Permit:
    """The right to launch while the status has this generation (0: there is no status)."""

    status: Status
    generation: int
    nothing_started: bool

    @property
    def denied_since(self) -> datetime | None:
        """When Cloud Run first answered a launch of this run with 403."""
        return self.status.launch.denied_since if self.status.launch else None

    def write(self, store: Store, **fields: object) -> Status:
        """Replace the status that the permit was taken with.

        Raises:
            PreconditionError: another process has written since.
        """
        status = self.status.model_copy(update={"updated_at": now(), **fields})
        path = layout.status(status.run_id)
        store.write(path, status.to_json(), if_generation=self.generation)
        return status


def launch_first(request: Request, config: Config, *, store: Store, launcher: Launcher) -> Status:
    """Launch a request that this process has just written."""
    permit = _Permit(status=accepted_status(request), generation=0, nothing_started=True)
    return _launch(request, config, permit, store=store, launcher=launcher)


def launch_again(request: Request, *, store: Store, launcher: Launcher) -> Status:
    """Make sure that a stored request has an execution; return the run's status.

    Raises:
        TransientError: another process is launching it, or Cloud Run does not answer.
    """
    status, generation = read_status_at(store, request.run_id)
    if status is not None and not awaits_launch(status):
        return status
    permit = _take_permit(request, status, generation, store)
    if not permit.nothing_started:
        recorded = _record_existing(request, permit, store=store, launcher=launcher)
        if recorded is not None:
            return recorded
    try:
        config = request.read_config()
    except ConfigError as error:
        return _refused(request, error, store)
    return _launch(request, config, permit, store=store, launcher=launcher)


def awaits_launch(status: Status) -> bool:
    """Return whether the run must still be launched; one that waits for its market must not."""
    return status.state is State.ACCEPTED and status.execution is None and status.waits_for is None


def _launch(
    request: Request, config: Config, permit: _Permit, *, store: Store, launcher: Launcher
) -> Status:
    try:
        refuse_if_paused(store, request.market)
    except PausedError as error:
        return end_request(store, request, State.SKIPPED, run_error(error, step=STEP))
    launch = Launch(
        run_id=request.run_id,
        config_uri=request.origin.config_uri,
        task_count=config.training.tasks,
        timeout=timedelta(minutes=config.limits.timeout_minutes),
    )
    try:
        execution = launcher.launch(launch)
    except NotStartedError:
        _release(permit, store, denied_since=permit.denied_since)
        raise
    except MaybeStartedError:
        recorded = _record_existing(request, permit, store=store, launcher=launcher)
        if recorded is None:
            raise
        return recorded
    except DeniedError as error:
        since = permit.denied_since or now()
        if now() - since >= GRANT:
            return _refused(request, error, store)
        _release(permit, store, denied_since=since)
        raise NotStartedError(
            f"{error.message} (tried again until {since + GRANT:%H:%M} UTC)"
        ) from None
    except ServiceError as error:
        return _refused(request, error, store)
    return _record(permit, execution, store)


def _record(permit: _Permit, execution: str, store: Store) -> Status:
    """Write the execution's name into the status; the job may have written it first."""
    with suppress(PreconditionError):
        return permit.write(store, state=State.LAUNCHED, execution=execution)

    def change(old: Status) -> dict[str, object]:
        if old.has_left(execution):
            return {}
        fields: dict[str, object] = {} if old.execution else {"execution": execution}
        return fields | ({"state": State.LAUNCHED} if old.state is State.ACCEPTED else {})

    return change_status(store, permit.status.run_id, change)


def _record_existing(
    request: Request, permit: _Permit, *, store: Store, launcher: Launcher
) -> Status | None:
    found = launcher.find(request.run_id)
    if not found:
        return None
    status = read_status(store, request.run_id)
    found = [one for one in found if status is None or not status.has_left(one.name)]
    return _record(permit, found[0].name, store) if found else None


def _take_permit(request: Request, status: Status | None, generation: int, store: Store) -> _Permit:
    """Take over a launch that another delivery may have begun; only one process gets the permit.

    It writes once, over the generation that it decided on. If another writer comes between, that
    writer launches.

    Raises:
        TransientError: another process has the permit.
    """
    held = status.launch if status else None
    released = held is not None and held.nothing_started
    until = request.accepted_at + CLAIM if status is None else held.until if held else now()
    before = _Permit(
        status=status or accepted_status(request), generation=generation, nothing_started=released
    )
    busy = TransientError(f"run {request.run_id} is being launched by another delivery")
    # A claim that lasts for longer was written by a clock that is wrong.
    if now() < until < now() + LONGEST_CLAIM and not released:
        raise busy
    claim = LaunchClaim(
        nonce=uuid.uuid4().hex, until=now() + CLAIM, denied_since=before.denied_since
    )
    path = layout.status(request.run_id)
    taken = before.status.model_copy(update={"updated_at": now(), "launch": claim})
    try:
        generation = store.write(path, taken.to_json(), if_generation=generation)
    except PreconditionError:
        raise busy from None
    return replace(before, status=taken, generation=generation)


def _release(permit: _Permit, store: Store, *, denied_since: datetime | None) -> None:
    """Release the claim, because nothing was started; if this fails, the next delivery waits."""
    free = LaunchClaim(
        nonce=uuid.uuid4().hex,
        until=now(),
        nothing_started=permit.nothing_started,
        denied_since=denied_since,
    )
    with suppress(MMMError):
        permit.write(store, launch=free)


def _refused(request: Request, error: MMMError, store: Store) -> Status:
    return end_request(store, request, State.FAILED, run_error(error, step=STEP))
