"""One attempt at one run: claim it, work, and leave exactly one terminal state and one event.

Terminal states are decided by the status object alone; the event is made from it. A permanent error
ends the run at once; a transient one leaves it RUNNING while Cloud Run will try again.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.events import EventData
from contract.exceptions import (
    PERMANENT_CODES,
    CancelledError,
    GateError,
    MMMError,
    TransientError,
)
from contract.lease import Lease
from contract.market import keep_market
from contract.request import Request
from contract.run import State, Status, change_status, now, read_status
from contract.stores import Store
from contract.terminal import fault_of, is_promoted, tell, told_outcome
from contract.topics import Publisher
from job.attempt.context import Run, tasks_of
from job.attempt.lease import LeaseHolder, claim
from job.attempt.market import leave, take_turn
from job.attempt.tasks import Left
from job.cost.budget import cost_of
from job.pipeline import Outcome, run_pipeline
from job.runtime import logs
from job.runtime.disk import is_disk_error
from job.runtime.progress import View
from job.runtime.settings import Settings
from job.runtime.signals import at_last, told_to_stop, undisturbed
from job.runtime.trace import Step, Trace
from job.train.job_file import Workspace

PROGRESS_SECONDS = 5.0
TIMEOUT_MARGIN_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How the attempt ended."""

    run_id: str
    state: State
    exit_code: int
    report_uri: str | None = None
    message: str | None = None


def work_on(
    request: Request,
    settings: Settings,
    store: Store,
    publisher: Publisher,
    *,
    log: logs.Log,
    view: View,
) -> Ending:
    """Do the run that `request` describes, or find that there is nothing to do."""
    logs.bind(
        run_id=request.run_id,
        market=request.market,
        revision=request.revision,
        execution=settings.execution,
        task=settings.task_index,
        attempt=settings.attempt,
    )
    ended = read_status(store, request.run_id)
    if ended is not None and ended.state.is_terminal:
        log.info(f"the run has ended already: {ended.state}")
        return _tell(ended, store, publisher, log)
    if ended is not None and ended.has_left(settings.execution):
        log.info("this execution has left the run, which waits for its market")
        return _waiting(ended)
    config = request.read_config()
    if settings.task_index >= tasks_of(config, settings):
        log.info("the run needs fewer tasks; this one has nothing to do")
        return Ending(run_id=request.run_id, state=State.RUNNING, exit_code=0)
    lease = claim(store, request.run_id, settings)
    if isinstance(lease, Lease):
        log.warning(f"{lease.owner} works on this run; leaving")
        return Ending(run_id=request.run_id, state=State.RUNNING, exit_code=0)
    try:
        return _attempt(request, settings, store, publisher, lease=lease, log=log, view=view)
    finally:
        try:
            lease.release()
        except MMMError as error:
            log.warning(f"the lease could not be released and will expire: {error}")


def _attempt(
    request: Request,
    settings: Settings,
    store: Store,
    publisher: Publisher,
    *,
    lease: LeaseHolder,
    log: logs.Log,
    view: View,
) -> Ending:
    record = _Recorder(store, request.run_id, settings, view)
    trace = Trace(log=log, on_change=record.step)
    record.trace = trace
    took_turn = threading.Event()
    lease.keep(
        record.beat,
        log=log,
        returned=lambda: not took_turn.is_set() or keep_market(store, request),
    )
    run: Run | None = None
    try:
        with _folder() as folder:
            run = Run(
                request=request,
                config=request.read_config(),
                settings=settings,
                store=store,
                workspace=Workspace(root=folder),
                trace=trace,
                log=log,
                on_progress=record.progress,
                stop=lambda: _reason_to_stop(lease, record),
                lease=lease,
                announce=lambda facts: record.announce(_event(request, trace, facts)),
            )
            before = take_turn(run) if settings.task_index == 0 else None
            if before is not None:
                return _waiting(leave(run, before))
            took_turn.set()
            outcome = run_pipeline(run)
        if isinstance(outcome, Left):
            log.info(outcome.reason)
            return Ending(run_id=request.run_id, state=State.RUNNING, exit_code=0)
        with undisturbed():
            status = _close(store, request, trace, outcome)
    except Exception as error:  # whatever it is, the run must not stay RUNNING
        if lease.cut_off.is_set():  # its state is the next attempt's to write
            raise TransientError(_reason_to_stop(lease, record) or "") from error
        with undisturbed():
            told = _told(error, trace, log)
            status = _fail(request, settings, store, lease, trace, told, log, run=run)
    if not status.state.is_terminal:
        code = status.error.code if status.error else TransientError.exit_code
        message = status.error.message if status.error else None
        return Ending(run_id=request.run_id, state=status.state, exit_code=code, message=message)
    with trace.step("event"):
        return _tell(status, store, publisher, log)


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of the attempt's own, which a signal cannot leave behind."""
    folder = tempfile.TemporaryDirectory(prefix="mmm-", ignore_cleanup_errors=True)
    try:
        with at_last(folder.cleanup):
            yield Path(folder.name)
    finally:
        with undisturbed():
            folder.cleanup()


def _told(error: Exception, trace: Trace, log: logs.Log) -> MMMError:
    """Any error in this project's words; told to stop, a library may call that what it likes."""
    permanent = isinstance(error, MMMError) and error.exit_code in PERMANENT_CODES
    if (reason := told_to_stop()) and not permanent:
        return CancelledError(reason, step=_last_step(trace))
    if is_disk_error(error):
        return TransientError(f"the disk is full: {error}", step=_last_step(trace))
    if isinstance(error, MMMError):
        return error
    log.exception(f"unexpected {type(error).__name__}: {error}")
    return MMMError(f"unexpected {type(error).__name__}: {error}", step=_last_step(trace))


def _waiting(status: Status) -> Ending:
    message = f"waits for run {status.waits_for}" if status.waits_for else None
    return Ending(run_id=status.run_id, state=status.state, exit_code=0, message=message)


def _reason_to_stop(lease: LeaseHolder, record: _Recorder) -> str | None:
    if lease.lost.is_set():
        return "another execution took the run over"
    if lease.cut_off.is_set():
        return "the run was cut off from its bucket or market for too long"
    return f"the run has ended: {record.ended}" if record.ended else None


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


def _close(store: Store, request: Request, trace: Trace, outcome: Outcome) -> Status:
    data = _event(request, trace, outcome.facts, outcome.state)
    return change_status(
        store,
        request.run_id,
        lambda old: {
            "state": outcome.state,
            "step": None,
            "steps": trace.as_list(),
            "outcome": data.model_dump(mode="json"),
            "error": None,
        },
    )


def _fail(
    request: Request,
    settings: Settings,
    store: Store,
    lease: LeaseHolder,
    trace: Trace,
    error: MMMError,
    log: logs.Log,
    *,
    run: Run | None,
) -> Status:
    """Write the error down; the run ends unless another attempt can help.

    A run whose results became the market's current ones has succeeded, whatever failed after.
    """
    log.error(error.message, step=error.step, exit_code=error.exit_code)
    fault = fault_of(error)
    over = error.exit_code in PERMANENT_CODES or settings.last_attempt
    state = _state_after(error, request, settings, trace) if over else State.RUNNING
    facts: dict[str, Any] = {"error": fault, "cost": cost_of(run) if run and run.estimate else None}
    if isinstance(error, GateError):
        facts["data_quality"] = error.quality
    data = _event(request, trace, facts, state)
    if not _still_ours(lease):  # the run is somebody else's now; its state is theirs to write
        status = read_status(store, request.run_id)
        if status is not None:
            return status

    def change(old: Status) -> dict[str, Any]:
        if old.has_left(settings.execution):
            return {}
        if is_promoted(store, old):
            return {"state": State.SUCCEEDED, "step": None, "steps": trace.as_list(), "error": None}
        return {
            "state": state,
            "steps": trace.as_list(),
            "error": fault,
            "outcome": data.model_dump(mode="json") if state.is_terminal else {},
        }

    return change_status(store, request.run_id, change)


def _state_after(error: MMMError, request: Request, settings: Settings, trace: Trace) -> State:
    """Cloud Run says SIGTERM to a task that was cancelled and to one whose time is over."""
    limit = float(request.config["limits"]["timeout_minutes"]) * 60
    timed_out = settings.in_cloud_run and trace.seconds > limit - TIMEOUT_MARGIN_SECONDS
    cancelled = isinstance(error, CancelledError) and not timed_out
    return State.CANCELLED if cancelled else State.FAILED


def _still_ours(lease: LeaseHolder) -> bool:
    try:
        lease.confirm()
    except CancelledError:
        return False
    return True


def _tell(status: Status, store: Store, publisher: Publisher, log: logs.Log) -> Ending:
    """Store and publish the event of a terminal status; a topic that is down is said."""
    data = told_outcome(status)
    code = status.error.code if status.error else 0
    try:
        tell(store, publisher, status)
    except MMMError as error:
        log.error(f"the event could not be published and waits in the outbox: {error}")
        code = code or TransientError.exit_code
    return Ending(
        run_id=status.run_id,
        state=status.state,
        exit_code=code,
        report_uri=data.report_uri,
        message=status.error.message if status.error else None,
    )


def _last_step(trace: Trace) -> str | None:
    return trace.steps[-1].name if trace.steps else None


class _Recorder:
    """Writes steps, progress and heartbeats into the status."""

    def __init__(self, store: Store, run_id: str, settings: Settings, view: View) -> None:
        self.trace: Trace | None = None
        self._store, self._run_id, self._settings, self._view = store, run_id, settings, view
        self._progress: dict[str, Any] = {}
        self._written = 0.0
        self.ended: State | None = None

    def step(self, step: Step) -> None:
        self._view.step(step)
        told_later = step.name == "event" or step.state == "failed"  # with the error
        if not told_later:
            self._write({"step": step.name, "steps": self.trace.as_list() if self.trace else []})

    def progress(self, record: dict[str, Any]) -> None:
        self._view.progress(record)
        if record.get("type") == "progress":
            trial = str(record.get("trial"))
            trials = {**self._progress.get("by_trial", {}), trial: record.get("iteration")}
            self._progress = {
                "trials": record.get("trials"),
                "iterations": record.get("iterations"),
                "by_trial": trials,
            }
            if time.monotonic() - self._written > PROGRESS_SECONDS:
                self.beat()

    def beat(self) -> None:
        self._write({})

    def announce(self, data: EventData) -> None:
        """Write down what the run ends with, before its results become the market's current ones.

        Raises:
            CancelledError: the run has been ended meanwhile.
        """
        self._write({"outcome": data.model_dump(mode="json")})
        if self.ended:
            raise CancelledError(f"the run has ended: {self.ended}")

    def _write(self, fields: dict[str, Any]) -> None:
        self._written = time.monotonic()
        status = change_status(
            self._store,
            self._run_id,
            lambda old: (
                {}
                if old.has_left(self._settings.execution)
                else {
                    "state": State.RUNNING,
                    "heartbeat_at": now(),
                    "attempt": self._settings.attempt,
                    "execution": self._settings.execution,
                    **fields,
                    "progress": _together(old.progress, self._progress),
                }
            ),
        )
        if status.state.is_terminal:
            self.ended = status.state


def _together(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Progress of all tasks: each writes the trials that it has."""
    trials = {**old.get("by_trial", {}), **new.get("by_trial", {})}
    return {**old, **new, "by_trial": trials} if trials else {**old, **new}
