"""Launch a stored request exactly once, although `run_job` has no request id.

Whoever wrote `request.json` may launch for CLAIM from then on. After that, a redelivery (or
`reconcile`) takes the claim over by generation, looks among the job's executions for the run id,
and only then launches. CLAIM is three times the longest `run_job` call, so two launches can only
meet if a process slept through its claim; the job's lease then lets one of them work.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from contract.ending import end, fault_of
from contract.exceptions import MMMError, ServiceError, TransientError
from contract.request import Request
from contract.run import (
    LaunchClaim,
    State,
    Status,
    change_status,
    create_status,
    now,
    read_status,
)
from contract.stores import Store
from trigger.execution import Launch, Launcher, MaybeStartedError, NotStartedError

CLAIM = timedelta(seconds=90)


def launch_first(request: Request, *, store: Store, launcher: Launcher) -> Status:
    """Launch a request that this process has just written."""
    return _launch(request, store=store, launcher=launcher)


def launch_again(request: Request, *, store: Store, launcher: Launcher) -> Status:
    """Make sure that a request found in the bucket has an execution; returns where the run stands.

    Raises:
        TransientError: somebody else is launching it, or Cloud Run does not answer.
    """
    status = read_status(store, request.run_id)
    if status is not None and not awaits_launch(status):
        return status
    _take_claim(request, status, store)
    recorded = _record_existing(request, store=store, launcher=launcher)
    return recorded or _launch(request, store=store, launcher=launcher)


def awaits_launch(status: Status) -> bool:
    """Whether whoever finds the run is to launch it; one that waits for its market is not."""
    return status.state is State.ACCEPTED and status.execution is None and status.waits_for is None


def _launch(request: Request, *, store: Store, launcher: Launcher) -> Status:
    config = request.read_config()
    launch = Launch(
        run_id=request.run_id,
        config_uri=request.origin.config_uri,
        task_count=config.training.tasks,
        timeout=timedelta(minutes=config.limits.timeout_minutes),
    )
    try:
        execution = launcher.launch(launch)
    except NotStartedError:
        _give_claim_back(request, store)
        raise
    except MaybeStartedError:
        recorded = _record_existing(request, store=store, launcher=launcher)
        if recorded is None:
            raise
        return recorded
    except ServiceError as error:
        return _refused(request, error, store)
    return record(request, execution, store)


def record(request: Request, execution: str, store: Store) -> Status:
    """Write the execution's name into the status; the job may have been there first."""
    status = _status(request, state=State.LAUNCHED, execution=execution)
    if create_status(store, status):
        return status

    def change(old: Status) -> dict[str, object]:
        if old.has_left(execution):
            return {}
        fields: dict[str, object] = {} if old.execution else {"execution": execution}
        return fields | ({"state": State.LAUNCHED} if old.state is State.ACCEPTED else {})

    return change_status(store, request.run_id, change)


def _record_existing(request: Request, *, store: Store, launcher: Launcher) -> Status | None:
    found = launcher.find(request.run_id)
    if not found:
        return None
    status = read_status(store, request.run_id)
    found = [one for one in found if status is None or not status.has_left(one.name)]
    return record(request, found[0].name, store) if found else None


def _take_claim(request: Request, status: Status | None, store: Store) -> None:
    claim = LaunchClaim(nonce=uuid.uuid4().hex, until=now() + CLAIM)
    if status is None:
        if request.accepted_at + CLAIM > now():
            raise TransientError(f"run {request.run_id} is being launched by another delivery")
        if create_status(store, _status(request, state=State.ACCEPTED, launch=claim)):
            return

    def change(old: Status) -> dict[str, object]:
        taken = old.launch is not None and old.launch.until > now()
        return {} if taken or old.execution else {"launch": claim}

    after = change_status(store, request.run_id, change)
    if after.launch is None or after.launch.nonce != claim.nonce:
        raise TransientError(f"run {request.run_id} is being launched by another delivery")


def _give_claim_back(request: Request, store: Store) -> None:
    """Nothing was started: the next delivery need not wait. A failure here only costs that wait."""
    free = LaunchClaim(nonce=uuid.uuid4().hex, until=now())
    try:
        if not create_status(store, _status(request, state=State.ACCEPTED, launch=free)):
            change_status(
                store, request.run_id, lambda old: {} if old.execution else {"launch": free}
            )
    except MMMError:
        return


def _refused(request: Request, error: ServiceError, store: Store) -> Status:
    return end(
        store,
        run_id=request.run_id,
        market=request.market,
        revision=request.revision,
        state=State.FAILED,
        error=fault_of(error, step="launch"),
    )


def _status(
    request: Request,
    *,
    state: State,
    execution: str | None = None,
    launch: LaunchClaim | None = None,
) -> Status:
    at = now()
    return Status(
        run_id=request.run_id,
        state=state,
        market=request.market,
        revision=request.revision,
        created_at=request.accepted_at,
        updated_at=at,
        execution=execution,
        launch=launch,
    )
