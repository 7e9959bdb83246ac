"""Close what nobody will close any more: every accepted run ends, and its event is published.

Run every five minutes. It looks at each run that has not been seen closed, and

- launches an accepted one that was never launched (its delivery died and was given up),
- launches one that waited for its market when it is its turn, and gives it up once it is too old,
- ends one whose execution has ended, vanished or never started, with Cloud Run's own reason,
- ends one that nobody has kept alive for SILENCE, and stops its execution,
- publishes what outboxes still hold.

A run with a live lease is left alone. Ages are told by the bucket's clock, not by the machines'.
Two passes at once are harmless: all they do is guarded by generations and write-once objects.
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
from contract.base import canonical_json
from contract.exceptions import (
    DamagedError,
    LimitError,
    MMMError,
    NotFoundError,
    TransientError,
)
from contract.lease import bucket_time, live_lease
from contract.market import run_ahead
from contract.request import Request, stored_request
from contract.run import RunError, State, Status, change_status, now, read_status
from contract.stored import read_fields
from contract.stores import Store
from contract.terminal import end_request, publish_end, run_error
from contract.topics import Publisher
from trigger.accept import MAX_MESSAGE_AGE
from trigger.execution import Execution, Launcher, Phase
from trigger.launch import launch_again

SILENCE = timedelta(minutes=5)
START = timedelta(hours=1)
PASS_SECONDS = 240.0


@dataclass(frozen=True, kw_only=True)
class Passed:
    """What one pass did: how many runs met each fate, and what could not be done."""

    fates: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def reconcile(
    store: Store,
    publisher: Publisher,
    launcher: Launcher,
    *,
    max_age: timedelta = MAX_MESSAGE_AGE,
    silence: timedelta = SILENCE,
    on_change: Callable[[str, str], None] = lambda run_id, fate: None,
) -> Passed:
    """Look at every run that is not known to be closed.

    Raises:
        MMMError: the bucket cannot be listed; one run's trouble is only noted.
    """
    closed = _known_closed(store)
    listed = {name for name in store.folders(layout.RUNS) if runid.is_valid(name)}
    at = bucket_time(store, layout.reconcile_clock())
    deadline = time.monotonic() + PASS_SECONDS
    passed = Passed()

    def look(run_id: str) -> None:
        if time.monotonic() > deadline:
            passed.fates["left for the next pass"] += 1
            return
        run = _Run(run_id, store, publisher, launcher, max_age, silence, at)
        try:
            fate = run.settle()
        except (MMMError, ValidationError, ValueError) as error:
            passed.problems.append(f"{run_id}: {error}")
            return
        passed.fates[fate] += 1
        on_change(run_id, fate)
        if fate == "closed":
            closed.add(run_id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(look, sorted(listed - closed)))
    store.write(layout.closed_runs(), canonical_json({"runs": sorted(closed & listed)}))
    return passed


def _known_closed(store: Store) -> set[str]:
    """Runs that an earlier pass saw closed; whatever became of the list, it only saves time."""
    path = layout.closed_runs()
    try:
        runs = read_fields(store.read(path).data, path=path)["runs"]
        return {str(run_id) for run_id in runs}
    except (NotFoundError, DamagedError, KeyError, TypeError):
        return set()


@dataclass(frozen=True)
class _Run:
    run_id: str
    store: Store
    publisher: Publisher
    launcher: Launcher
    max_age: timedelta
    silence: timedelta
    at: datetime

    def settle(self) -> str:
        """Bring the run as far as it can be brought; returns its fate in a word or two."""
        status = read_status(self.store, self.run_id)
        request = stored_request(self.store, self.run_id)
        if status is not None and status.state.is_terminal:
            publish_end(self.store, self.publisher, status)
            return "closed"
        if request is None:
            events.flush(self.store, self.publisher, self.run_id)  # a rejected message's
            return "closed" if status is None else "open"
        if live_lease(self.store, self.run_id, at=self.at) is not None:
            return "open"
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

    def _waiting(self, request: Request) -> str:
        before = run_ahead(self.store, request, at=self.at)
        if before is not None and now() - request.accepted_at <= self.max_age:
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
        if now() - request.accepted_at > self.max_age:
            return self._end(request, State.FAILED, "the run was never started", code=75)
        try:
            status = launch_again(request, store=self.store, launcher=self.launcher)
        except TransientError:
            return "open"  # somebody is at it, or Cloud Run is busy
        if status.state.is_terminal:
            publish_end(self.store, self.publisher, status)
            return "closed"
        return "launched"

    def _follow(self, request: Request, status: Status | None, name: str) -> str:
        execution = self.launcher.get(name)
        # What the job wrote before its execution ended is seen from here on.
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
            return self._end(request, State.FAILED, f"execution {name} has vanished", code=75)
        if execution.phase is Phase.CANCELLED:
            return self._end(request, State.CANCELLED, "its execution was cancelled", code=143)
        if execution.phase is Phase.FAILED:
            said = execution.reason or "no reason given"
            own = f"; the job said: {status.error.message}" if status and status.error else ""
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
        what = "gave no sign of life" if claimed else "did not start to work"
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
        try:
            if stop:  # only now: a job that is told to stop would call its run cancelled
                self.launcher.cancel(stop)
        finally:
            publish_end(self.store, self.publisher, status)
        return "closed"

    def _last_sign(self) -> datetime:
        """When somebody last wrote the run's status, by the bucket's clock."""
        paths = layout.status(self.run_id), layout.request(self.run_id)
        written = [info.updated for path in paths if (info := self.store.stat(path))]
        return max(written, default=self.at)
