"""Make one attempt at a run: claim it, work on it, and end it in one state with one event.

The status object alone decides the terminal state, and the event is made from it. A permanent error
ends the run at once. A transient error leaves it RUNNING as long as Cloud Run will retry.
"""

from __future__ import annotations

import threading
from typing import Any

from contract.config import Config
from contract.events import EventData
from contract.exceptions import (
    PERMANENT_CODES,
    CancelledError,
    ConfigError,
    GateError,
    MMMError,
    PausedError,
    TransientError,
)
from contract.lease import Lease
from contract.market import keep_market
from contract.request import Request
from contract.run import State, Status, read_status
from contract.stores import Store
from contract.terminal import (
    end_request,
    end_run,
    event_data,
    is_promoted,
    publish_end,
    run_error,
)
from contract.topics import Publisher
from job.attempt.context import Attempt, tasks_of
from job.attempt.lease import LeaseHolder, claim
from job.attempt.market import give_way, wait_for_market
from job.attempt.patience import Patience
from job.attempt.status import StatusWriter, note_failure
from job.attempt.stored_log import StoredLog
from job.attempt.tasks import LeftRun
from job.attempt.watch import stopped_with_its_run
from job.cost.budget import cost_of
from job.ending import Ending
from job.pipeline import RunResult, run_pipeline
from job.runtime.disk import is_disk_error
from job.runtime.logs import Log, bind
from job.runtime.progress import View
from job.runtime.settings import Settings
from job.runtime.signals import shielded, stop_reason
from job.runtime.trace import Step, Trace
from job.runtime.workspace import temporary_workspace

TIMEOUT_MARGIN_SECONDS = 30.0


def work_on(
    request: Request,
    settings: Settings,
    store: Store,
    publisher: Publisher,
    *,
    log: Log,
    view: View,
    patience: Patience | None = None,
) -> Ending:
    """Work on the run that `request` describes; return how the attempt ended.

    Raises:
        DeniedError: access is denied, and `patience` is not used up; the run has not ended.
    """
    bind(
        run_id=request.run_id,
        market=request.market,
        revision=request.revision,
        execution=settings.execution,
        task=settings.task_index,
        attempt=settings.attempt,
    )
    status = read_status(store, request.run_id)
    if status is not None and status.state.is_terminal:
        log.info(f"the run has already ended: {status.state}")
        return _conclude(status, store, publisher, log)
    if status is not None and status.has_left(settings.execution):
        log.info("this execution has left the run, which waits for its market")
        return _waiting(status)
    try:
        config = request.read_config()
    except ConfigError as error:
        return _refuse(request, error, settings, store, publisher, log=log)
    if settings.task_index >= tasks_of(config, settings):
        log.info("the run needs fewer tasks; this task has nothing to do")
        return Ending(run_id=request.run_id, state=State.RUNNING, exit_code=0)
    lease = claim(store, request.run_id, settings, nonce=patience.nonce if patience else None)
    if isinstance(lease, Lease):
        log.warning(f"{lease.owner} is working on this run; exiting")
        return Ending(run_id=request.run_id, state=State.RUNNING, exit_code=0)
    try:
        writer = StatusWriter(
            store,
            request.run_id,
            settings,
            view,
            log=log,
            last_write=status.updated_at if status else None,
        )
        return _attempt(
            request,
            config,
            settings,
            store,
            publisher,
            writer,
            lease=lease,
            log=log,
            patience=patience,
        )
    finally:
        try:
            lease.release()
        except MMMError as error:
            log.warning(f"the lease could not be released and will expire: {error}")


def _refuse(
    request: Request,
    error: ConfigError,
    settings: Settings,
    store: Store,
    publisher: Publisher,
    *,
    log: Log,
) -> Ending:
    """End a run whose config this version does not accept, unless another version works on it."""
    lease = claim(store, request.run_id, settings)
    if isinstance(lease, Lease):
        log.warning(f"{lease.owner} is working on this run; exiting")
        return Ending(run_id=request.run_id, state=State.RUNNING, exit_code=0)
    try:
        log.error(error.message, exit_code=error.exit_code)
        status = end_request(store, request, State.FAILED, run_error(error, step="config"))
        return _conclude(status, store, publisher, log)
    finally:
        lease.release()


def _attempt(
    request: Request,
    config: Config,
    settings: Settings,
    store: Store,
    publisher: Publisher,
    status_writer: StatusWriter,
    *,
    lease: LeaseHolder,
    log: Log,
    patience: Patience | None,
) -> Ending:
    stored_log = StoredLog(store, request.run_id, settings, log=log)

    def on_change(step: Step) -> None:
        status_writer.step(step)
        stored_log.write_now_and_then()

    def beat() -> None:
        status_writer.beat()
        stored_log.write_now_and_then()

    trace = Trace(log=log, on_change=on_change)
    status_writer.trace = trace
    has_market = threading.Event()
    lease.keep(
        beat,
        log=log,
        returned=lambda: not has_market.is_set() or keep_market(store, request),
    )
    attempt: Attempt | None = None
    try:
        with (
            status_writer,
            temporary_workspace() as workspace,
            stopped_with_its_run(store, request.run_id, log),
        ):
            attempt = Attempt(
                request=request,
                config=config,
                settings=settings,
                store=store,
                workspace=workspace,
                trace=trace,
                log=log,
                on_progress=status_writer.progress,
                stop=lambda: _reason_to_stop(lease, status_writer),
                lease=lease,
                announce=lambda facts: status_writer.announce(_event(request, trace, facts)),
            )
            try:
                ahead = wait_for_market(attempt) if settings.task_index == 0 else None
                if ahead is not None:
                    return _waiting(give_way(attempt, ahead))
                has_market.set()
                result = run_pipeline(attempt)
            except PausedError as paused:
                log.info(paused.message)
                result = RunResult(state=State.SKIPPED, facts={"error": run_error(paused)})
        if isinstance(result, LeftRun):
            log.info(result.reason)
            return Ending(run_id=request.run_id, state=State.RUNNING, exit_code=0)
        with shielded():
            stored_log.close()
            data = _event(request, trace, result.facts, result.state)
            status = end_run(store, data, steps=trace.as_list())
    except Exception as error:  # after any error, the run must not stay RUNNING
        if lease.cut_off.is_set():  # the next attempt writes its state
            raise TransientError(_reason_to_stop(lease, status_writer) or "") from error
        if patience is not None and patience.covers(error) and not stop_reason():
            raise
        if lease.broken and isinstance(error, CancelledError):
            error = TransientError(lease.broken)
        with shielded():
            status = _fail(attempt, request, settings, store, lease, trace, error, stored_log, log)
    if not status.state.is_terminal:
        code = status.error.code if status.error else TransientError.exit_code
        message = status.error.message if status.error else None
        return Ending(run_id=request.run_id, state=status.state, exit_code=code, message=message)
    with trace.step("event"):
        return _conclude(status, store, publisher, log)


def _fail(
    attempt: Attempt | None,
    request: Request,
    settings: Settings,
    store: Store,
    lease: LeaseHolder,
    trace: Trace,
    cause: Exception,
    stored_log: StoredLog,
    log: Log,
) -> Status:
    """Write the error into the status. The run ends unless another attempt can help."""
    error = _as_own_error(cause, trace, log)
    log.error(error.message, step=error.step, exit_code=error.exit_code)
    owner = lease.is_own()
    status = read_status(store, request.run_id)
    if not owner and status is not None:  # another process owns the run now, and writes its state
        return status
    stored_log.close()
    fault = run_error(error)
    promoted = status is not None and is_promoted(store, status)
    stopped = status is not None and status.stop is not None
    state = _state_after(error, request, settings, trace)
    last = settings.last_attempt and not _may_follow_another_task(state, settings)
    permanent = error.exit_code in PERMANENT_CODES or last or stopped
    if not permanent and not promoted:
        return note_failure(store, request.run_id, settings, fault, steps=trace.as_list())
    cost = cost_of(attempt) if attempt and attempt.estimate else None
    facts: dict[str, Any] = {"error": fault, "cost": cost}
    if isinstance(error, GateError):
        facts["data_quality"] = error.quality
    return end_run(
        store,
        _event(request, trace, facts, state),
        steps=trace.as_list(),
        unless=lambda old: old.has_left(settings.execution),
    )


def _as_own_error(error: Exception, trace: Trace, log: Log) -> MMMError:
    """Return any error as an MMMError; after a signal, a library may raise any error."""
    step = trace.steps[-1].name if trace.steps else None
    if isinstance(error, MMMError) and error.exit_code in PERMANENT_CODES:
        return error
    if reason := stop_reason():
        return CancelledError(reason, step=step)
    if is_disk_error(error):
        return TransientError(f"the disk is full: {error}", step=step)
    if isinstance(error, MMMError):
        return error
    log.exception(f"unexpected {type(error).__name__}: {error}")
    return MMMError(f"unexpected {type(error).__name__}: {error}", step=step)


def _waiting(status: Status) -> Ending:
    message = f"waits for run {status.waits_for}" if status.waits_for else None
    return Ending(run_id=status.run_id, state=status.state, exit_code=0, message=message)


def _reason_to_stop(lease: LeaseHolder, status_writer: StatusWriter) -> str | None:
    if lease.lost.is_set():
        return "another execution took over the run"
    if lease.broken:
        return lease.broken
    if lease.cut_off.is_set():
        return "the run lost contact with its bucket or market for too long"
    if status_writer.ended:
        return f"the run has ended: {status_writer.ended}"
    return stop_reason()  # a library may have swallowed the error that a signal raised


def _event(
    request: Request, trace: Trace, facts: dict[str, Any], state: State = State.SUCCEEDED
) -> EventData:
    return EventData(
        run_id=request.run_id,
        state=state,
        market=request.market,
        revision=request.revision,
        duration_seconds=trace.seconds,
        **facts,
    )


def _state_after(error: MMMError, request: Request, settings: Settings, trace: Trace) -> State:
    """Return CANCELLED for a cancellation, else FAILED: SIGTERM may also mean a timeout."""
    limit = float(request.config["limits"]["timeout_minutes"]) * 60
    timed_out = settings.in_cloud_run and trace.seconds > limit - TIMEOUT_MARGIN_SECONDS
    cancelled = isinstance(error, CancelledError) and not timed_out
    return State.CANCELLED if cancelled else State.FAILED


def _may_follow_another_task(state: State, settings: Settings) -> bool:
    """Return whether the attempt was stopped perhaps only because another task has failed.

    Only Cloud Run can tell that from a cancellation, so `reconcile` ends the run.
    """
    return state is State.CANCELLED and settings.task_count > 1 and not settings.waits_here


def _conclude(status: Status, store: Store, publisher: Publisher, log: Log) -> Ending:
    """Publish the event of a terminal status; log an unreachable topic."""
    data = event_data(status)
    code = status.error.code if status.error else 0
    try:
        publish_end(store, publisher, status)
    except MMMError as error:
        log.error(f"the event could not be published and waits in the outbox: {error}")
        code = code or TransientError.exit_code
    return Ending(
        run_id=status.run_id,
        state=status.state,
        exit_code=code,
        report_uri=data.report_uri,
        verdict=data.verdict,
        held=tuple((data.drift or {}).get("reasons", ())),
        message=status.error.message if status.error else None,
    )
