"""End the runs that cannot end themselves, and publish the events that are still stored.

Cloud Scheduler calls it every five minutes. It looks at each run that is not known to be closed and

- launches an accepted run that was never launched, because its delivery died,
- launches a run that waited for its market when it is its turn, and fails it once it is too old,
- ends a run whose execution ended, vanished or never started, with Cloud Run's own reason,
- ends a run without a sign of life for SILENCE, and stops its execution,
- publishes the events in its outbox.

It leaves a run with a live lease alone. The bucket's clock measures ages, not the machines' clocks.
Two passes at once are harmless: generations and write-once objects guard everything they do.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import ValidationError

from contract import events, layout, runid
from contract.events import EventData
from contract.exceptions import DamagedError, LimitError, MMMError, TransientError
from contract.lease import bucket_time, live_lease
from contract.market import run_ahead
from contract.open_runs import HORIZON, Ended, first_of, open_runs, read_ended
from contract.request import Request, stored_request
from contract.run import RunError, State, Status, change_status, read_status
from contract.stores import Store
from contract.terminal import end_request, end_run, publish_end, run_error
from contract.topics import Publisher
from trigger.accept import MAX_MESSAGE_AGE
from trigger.execution import Execution, Launcher, Phase
from trigger.launch import launch_again
from trigger.requests import RUN_ID_BEHIND

SILENCE = timedelta(minutes=5)
START = timedelta(hours=1)
PASS_SECONDS = 240.0
LEFT = "left for the next pass"


@dataclass(frozen=True, kw_only=True)
class PassReport:
    """The result of one pass: the number of runs per result, and the failures."""

    results: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def reconcile(
    store: Store,
    publisher: Publisher,
    launcher: Launcher,
    *,
    max_age: timedelta = MAX_MESSAGE_AGE,
    silence: timedelta = SILENCE,
    on_change: Callable[[str, str], None] = lambda run_id, result: None,
    on_end: Callable[[Status], None] = lambda status: None,
) -> PassReport:
    """Settle every run that is not known to be closed; return the results.

    `on_change` is called with the id and the result of each run that was looked at, and `on_end`,
    from any thread, with the status of each run that this pass ended itself.

    Raises:
        MMMError: the bucket cannot be listed. A problem with one run is only reported.
    """
    before = read_ended(store)
    at = bucket_time(store, layout.reconcile_clock())
    horizon = max(HORIZON, max_age + RUN_ID_BEHIND + timedelta(days=1))
    open_ = open_runs(store, before, at=at, horizon=horizon)
    deadline = time.monotonic() + PASS_SECONDS
    report = PassReport()
    closed = set()

    def settle(run_id: str) -> tuple[str, str | None]:
        """Return the run's result, or None and its problem."""
        if time.monotonic() > deadline:
            return LEFT, None
        run = _Run(run_id, store, publisher, launcher, max_age, silence, at, on_end)
        try:
            return run.settle(), None
        except (MMMError, ValidationError, ValueError) as error:
            return "", f"{run_id}: {error}"

    with ThreadPoolExecutor(8) as pool:  # only this thread changes the report
        for run_id, (result, problem) in zip(open_, pool.map(settle, open_), strict=True):
            if problem is not None:
                report.problems.append(problem)
                continue
            report.results[result] += 1
            if result != LEFT:
                on_change(run_id, result)
            if result == "closed":
                closed.add(run_id)
    _remember_ended(store, before, closed, set(open_) - closed, first_of(at, horizon))
    return report


def _remember_ended(
    store: Store, before: Ended, closed: set[str], still_open: set[str], first: str
) -> None:
    """Write the list of ended runs, if it changed; `first` is the first id that it covers."""
    after = Ended(
        runs=sorted(run_id for run_id in closed | set(before.runs) if run_id >= first),
        older=sorted(run_id for run_id in still_open if run_id < first),
    )
    if after != before:
        store.write(layout.closed_runs(), after.to_json())


@dataclass(frozen=True)
class _Run:
    run_id: str
    store: Store
    publisher: Publisher
    launcher: Launcher
    max_age: timedelta
    silence: timedelta
    at: datetime
    on_end: Callable[[Status], None]

    def settle(self) -> str:
        """Advance the run as far as possible; return a short description of the result."""
        status = read_status(self.store, self.run_id)
        if status is not None and status.state.is_terminal:
            publish_end(self.store, self.publisher, status)
            return "closed"
        try:
            request = stored_request(self.store, self.run_id)
        except DamagedError as error:
            return self._end_without_request(status, error)
        if request is None and status is not None:
            missing = DamagedError(layout.request(self.run_id), "it is missing")
            return self._end_without_request(status, missing)
        if request is None:
            # An older version wrote no status of a rejected message, only its event.
            events.flush(self.store, self.publisher, self.run_id)
            return "closed" if self._is_too_old_to_begin() else "open"
        if live_lease(self.store, self.run_id, at=self.at) is not None:
            return "open"
        if status is not None and status.stop is not None:
            return self._end(request, State.CANCELLED, status.stop, code=143, stop=status.execution)
        if status is not None and status.waits_for is not None:
            return self._waiting(request)
        execution = status.execution if status else None
        if execution is None and request.origin.via != "pubsub":
            execution = request.origin.execution
            if status is not None and execution and status.has_left(execution):
                execution = None
        if execution is None:
            return self._launch(request)
        return self._follow(request, status, execution)

    def _end_without_request(self, status: Status | None, error: DamagedError) -> str:
        """End a run whose request is damaged, unless it is at work; it cannot be started again."""
        if live_lease(self.store, self.run_id, at=self.at) is not None:
            return "open"
        data = EventData(
            run_id=self.run_id,
            state=State.FAILED,
            market=status.market if status else None,
            revision=status.revision if status else None,
            error=run_error(error, step="request"),
        )
        ended = end_run(self.store, data)
        self.on_end(ended)
        publish_end(self.store, self.publisher, ended)
        return "closed"

    def _is_too_old_to_begin(self) -> bool:
        """Return whether no message may name this run any more."""
        at = runid.time_of(self.run_id)
        return at is None or self.at - at > self.max_age + RUN_ID_BEHIND

    def _is_too_old(self, request: Request) -> bool:
        """Return whether the run was accepted too long ago, by the bucket's clock."""
        info = self.store.stat(layout.request(self.run_id))
        accepted_at = info.updated if info else request.accepted_at
        return self.at - accepted_at > self.max_age

    def _waiting(self, request: Request) -> str:
        paused = self.store.stat(layout.paused(request.market)) is not None  # it ends at once
        before = None if paused else run_ahead(self.store, request, at=self.at)
        if before is not None and not self._is_too_old(request):
            return "waiting"
        if before is not None:
            hours = self.max_age.total_seconds() / 3600
            error = LimitError(
                f"market `{request.market}` was busy for {hours:g} hours (last: run {before})",
                step="limits",
            )
            return self._close(request, State.FAILED, run_error(error))
        change_status(self.store, self.run_id, lambda old: {"waits_for": None})
        return self._launch(request)

    def _launch(self, request: Request) -> str:
        if self._is_too_old(request):
            return self._end(request, State.FAILED, "the run was never started", code=75)
        try:
            status = launch_again(request, store=self.store, launcher=self.launcher)
        except TransientError:
            return "open"  # another process launches it, or Cloud Run is busy
        if status.state.is_terminal:
            publish_end(self.store, self.publisher, status)
            return "closed"
        return "launched"

    def _follow(self, request: Request, status: Status | None, name: str) -> str:
        execution = self.launcher.get(name)
        # Read again: the job may have written its end before its execution ended.
        status = read_status(self.store, self.run_id)
        if status is not None and status.state.is_terminal:
            publish_end(self.store, self.publisher, status)
            return "closed"
        if status is not None and status.has_left(name):
            return "waiting"
        silent = self.at - self._last_sign()
        if execution is None:
            if silent < self.silence:
                return "open"
            return self._end(request, State.FAILED, f"execution {name} no longer exists", code=75)
        if execution.phase is Phase.CANCELLED:
            return self._end(request, State.CANCELLED, "its execution was cancelled", code=143)
        if execution.phase is Phase.FAILED:
            said = execution.reason or "no reason given"
            own = f"; the job reported: {status.error.message}" if status and status.error else ""
            return self._end(request, State.FAILED, f"its execution failed: {said}{own}", code=75)
        if execution.phase is Phase.SUCCEEDED:
            return self._finished(request, execution, silent)
        return self._running(request, execution, status, silent)

    def _finished(self, request: Request, execution: Execution, silent: timedelta) -> str:
        if silent < self.silence:  # another execution may be about to take over
            return "open"
        message = f"execution {execution.name} ended without a result"
        return self._end(request, State.FAILED, message, code=75)

    def _running(
        self, request: Request, execution: Execution, status: Status | None, silent: timedelta
    ) -> str:
        claimed = status is not None and status.heartbeat_at is not None
        if silent < (self.silence if claimed else START):
            return "open"
        minutes = silent.total_seconds() / 60
        what = "showed no sign of life" if claimed else "did not start working"
        message = f"the run {what} for {minutes:.0f} min"
        return self._end(request, State.FAILED, message, code=75, stop=execution.name)

    def _end(
        self, request: Request, state: State, message: str, *, code: int, stop: str | None = None
    ) -> str:
        error = RunError(code=code, step="execution", kind="ExecutionError", message=message)
        return self._close(request, state, error, stop=stop)

    def _close(
        self, request: Request, state: State, error: RunError, *, stop: str | None = None
    ) -> str:
        status = end_request(self.store, request, state, error)
        self.on_end(status)
        try:
            if stop:  # only now: a job that is stopped first would end its run as CANCELLED
                self.launcher.cancel(stop)
        finally:
            publish_end(self.store, self.publisher, status)
        return "closed"

    def _last_sign(self) -> datetime:
        """Return when the run's status was last written, by the bucket's clock."""
        paths = layout.status(self.run_id), layout.request(self.run_id)
        written = [info.updated for path in paths if (info := self.store.stat(path))]
        return max(written, default=self.at)
