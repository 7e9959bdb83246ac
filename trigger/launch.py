"""Launch a stored request exactly once, although `run_job` has no request id.

Whoever wrote the request may launch for CLAIM from then on. After that, a redelivery (or
`reconcile`) takes the claim over by generation, looks among the job's executions for the run id,
and only then launches. CLAIM is three times the longest `run_job` call, so two launches can only
meet if a process slept through its claim; the job's lease then lets one of them work.

Where Cloud Run refuses (429), nothing was started: the claim is given back, and the next delivery
launches at once. It need not search either, if all launches before were refused like that. A claim
is given back and used by the generation of the status that it was taken with, so a process that
slept takes nothing from whoever came after it.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from contract import layout
from contract.config import Config
from contract.exceptions import MMMError, PreconditionError, ServiceError, TransientError
from contract.request import Request
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

CLAIM = timedelta(seconds=90)


@dataclass(frozen=True, kw_only=True)
class _Turn:
    """The right to launch, as long as the status is of this generation (0: there is none)."""

    status: Status
    generation: int
    nothing_started: bool

    def write(self, store: Store, **fields: object) -> Status:
        """Write the status over the one that the right was taken with.

        Raises:
            PreconditionError: somebody else has written since.
        """
        status = self.status.model_copy(update={"updated_at": now(), **fields})
        path = layout.status(status.run_id)
        store.write(path, status.to_json(), if_generation=self.generation)
        return status


def launch_first(request: Request, config: Config, *, store: Store, launcher: Launcher) -> Status:
    """Launch a request that this process has just written."""
    turn = _Turn(status=_accepted(request), generation=0, nothing_started=True)
    return _launch(request, config, turn, store=store, launcher=launcher)


def launch_again(request: Request, *, store: Store, launcher: Launcher) -> Status:
    """Make sure that a request found in the bucket has an execution; returns where the run stands.

    Raises:
        TransientError: somebody else is launching it, or Cloud Run does not answer.
    """
    status, generation = read_status_at(store, request.run_id)
    if status is not None and not awaits_launch(status):
        return status
    turn = _take_turn(request, status, generation, store)
    if not turn.nothing_started:
        recorded = _record_existing(request, turn, store=store, launcher=launcher)
        if recorded is not None:
            return recorded
    return _launch(request, request.read_config(), turn, store=store, launcher=launcher)


def awaits_launch(status: Status) -> bool:
    """Whether whoever finds the run is to launch it; one that waits for its market is not."""
    return status.state is State.ACCEPTED and status.execution is None and status.waits_for is None


def _launch(
    request: Request, config: Config, turn: _Turn, *, store: Store, launcher: Launcher
) -> Status:
    launch = Launch(
        run_id=request.run_id,
        config_uri=request.origin.config_uri,
        task_count=config.training.tasks,
        timeout=timedelta(minutes=config.limits.timeout_minutes),
    )
    try:
        execution = launcher.launch(launch)
    except NotStartedError:
        _give_back(turn, store)
        raise
    except MaybeStartedError:
        recorded = _record_existing(request, turn, store=store, launcher=launcher)
        if recorded is None:
            raise
        return recorded
    except ServiceError as error:
        return _refused(request, error, store)
    return _record(turn, execution, store)


def _record(turn: _Turn, execution: str, store: Store) -> Status:
    """Write the execution's name into the status; the job may have been there first."""
    with suppress(PreconditionError):
        return turn.write(store, state=State.LAUNCHED, execution=execution)

    def change(old: Status) -> dict[str, object]:
        if old.has_left(execution):
            return {}
        fields: dict[str, object] = {} if old.execution else {"execution": execution}
        return fields | ({"state": State.LAUNCHED} if old.state is State.ACCEPTED else {})

    return change_status(store, turn.status.run_id, change)


def _record_existing(
    request: Request, turn: _Turn, *, store: Store, launcher: Launcher
) -> Status | None:
    found = launcher.find(request.run_id)
    if not found:
        return None
    status = read_status(store, request.run_id)
    found = [one for one in found if status is None or not status.has_left(one.name)]
    return _record(turn, found[0].name, store) if found else None


def _take_turn(request: Request, status: Status | None, generation: int, store: Store) -> _Turn:
    """Take over what another delivery may have begun; only one of many gets it.

    It writes once, over the generation that it decided on: after another writer came between, that
    one launches.

    Raises:
        TransientError: somebody else has it.
    """
    held = status.launch if status else None
    given_back = held is not None and held.nothing_started
    until = request.accepted_at + CLAIM if status is None else held.until if held else now()
    before = _Turn(
        status=status or _accepted(request), generation=generation, nothing_started=given_back
    )
    busy = TransientError(f"run {request.run_id} is being launched by another delivery")
    if until > now() and not given_back:
        raise busy
    claim = LaunchClaim(nonce=uuid.uuid4().hex, until=now() + CLAIM)
    path = layout.status(request.run_id)
    taken = before.status.model_copy(update={"updated_at": now(), "launch": claim})
    try:
        generation = store.write(path, taken.to_json(), if_generation=generation)
    except PreconditionError:
        raise busy from None
    return replace(before, status=taken, generation=generation)


def _give_back(turn: _Turn, store: Store) -> None:
    """Nothing was started: the next delivery need not wait. A failure here only costs that wait."""
    free = LaunchClaim(nonce=uuid.uuid4().hex, until=now(), nothing_started=turn.nothing_started)
    with suppress(MMMError):
        turn.write(store, launch=free)


def _refused(request: Request, error: ServiceError, store: Store) -> Status:
    return end_request(store, request, State.FAILED, run_error(error, step="launch"))


def _accepted(request: Request) -> Status:
    return Status(
        run_id=request.run_id,
        state=State.ACCEPTED,
        market=request.market,
        revision=request.revision,
        created_at=request.accepted_at,
        updated_at=now(),
    )
