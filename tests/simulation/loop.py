"""Processes and their threads as greenlets, on one simulated clock: one seed, one schedule.

Exactly one greenlet runs at a time, until it sleeps, waits or calls a service. The loop then resumes
the one that is due next; a draw decides between equal times. Time passes only between them.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import random
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from greenlet import getcurrent, greenlet

from job.runtime.signals import EXIT_SECONDS, _Stop

BEGIN = datetime(2026, 11, 23, 2, tzinfo=UTC)


class KilledError(BaseException):
    """The process has ended: nothing of it has an effect any more."""


class Process:
    """A process: its threads, the error of its clock in seconds, and its signals."""

    def __init__(self, name: str, *, skew: float = 0.0, env: dict[str, Any] | None = None) -> None:
        self.name, self.skew, self.env = name, skew, env or {}
        self.stop: Any = _Stop()
        self.dead = False
        self.stopped_until, self.was_stopped = 0.0, False
        self.threads: list[Thread] = []
        self.result: Any = None
        self.failed: BaseException | None = None
        self.on_exit: Callable[[], None] = lambda: None


class Thread:
    """A thread of a process; the first one is its main thread."""

    def __init__(self, process: Process, work: Callable[[], Any], hub: greenlet) -> None:
        self.process, self.over, self.token = process, False, 0
        self.joiners: list[Thread] = []
        self.greenlet = greenlet(work, hub)


class Loop:
    """The clock, the threads and the trace of one seed."""

    def __init__(self, seed: int, *, keep: bool = False) -> None:
        self.random = random.Random(seed)
        self.now, self.events = 0.0, 0
        self.thread: Thread | None = None
        self.problems: list[str] = []
        self.processes: list[Process] = []
        self.closed = False
        self.lines: list[str] | None = [] if keep else None
        self._hub = getcurrent()
        self._due: list[tuple[float, float, int, int, Thread]] = []
        self._count = itertools.count()
        self._hash = hashlib.blake2b(digest_size=16)

    @property
    def process(self) -> Process:
        """The process that runs now."""
        assert self.thread is not None
        return self.thread.process

    def time(self, skew: float = 0.0) -> datetime:
        """Return the time in UTC, by a clock with an error of `skew` seconds."""
        return BEGIN + timedelta(seconds=self.now + skew)

    def note(self, *words: object) -> None:
        """Add a line to the trace."""
        name = self.thread.process.name if self.thread else "-"
        line = f"{self.now:.4f} {name} {' '.join(map(str, words))}"
        self.events += 1
        self._hash.update(line.encode())
        if self.lines is not None:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        """The hash of the trace: two plays of a seed have the same one."""
        return self._hash.hexdigest()

    def start(self, process: Process, work: Callable[[], Any]) -> Thread:
        """Start a thread of a process; the process ends with its first thread."""

        def run() -> None:
            try:
                result = work()
                if process.threads[0] is thread:
                    process.result = result
            except KilledError:
                pass
            except BaseException as error:
                if process.threads[0] is thread:
                    process.failed = error
                else:
                    self.problems.append(f"a thread of {process.name} ended: {error!r}")
                if self.lines is not None:
                    self.lines.extend(traceback.format_exc().splitlines())
            self._ended(thread)

        thread = Thread(process, run, self._hub)
        if not process.threads:
            self.processes.append(process)
        process.threads.append(thread)
        self._push(thread, self.now)
        return thread

    def _ended(self, thread: Thread) -> None:
        thread.over = True
        for joiner in thread.joiners:
            self.wake(joiner)
        process = thread.process
        if process.threads[0] is thread:
            self.kill(process)
            if not self.closed:
                process.on_exit()

    def kill(self, process: Process) -> None:
        """End a process at once, as SIGKILL does; it may be the one that runs."""
        process.dead, process.stopped_until = True, 0.0
        for thread in process.threads:
            if thread is not self.thread:
                self.wake(thread)
        if self.thread and self.thread.process is process and not self.thread.over:
            raise KilledError

    def signal(self, process: Process, name: str) -> None:
        """Send SIGTERM to a process: its main thread raises at once, unless it is shielded."""
        if process.dead:
            return
        stop = process.stop
        if not stop.active:
            self.kill(process)
            return
        stop.reason = stop.reason or f"stopped by {name}"
        stop.number = 15
        if stop.deadline == float("inf"):
            stop.deadline = self.now + EXIT_SECONDS
            self.at(EXIT_SECONDS, lambda: None if process.dead else self.kill(process))
        if process.threads[0] is not self.thread:
            self.wake(process.threads[0])

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something later, outside of every process."""
        outside = Process("world")

        def later() -> None:
            self.pause(seconds)
            act()

        self.start(outside, later)

    def pause(self, seconds: float) -> None:
        """Let the current thread sleep."""
        until = self.now + seconds
        self.wait(seconds)
        while self.now < until:
            self.wait(until - self.now)

    def wait(self, seconds: float | None = None) -> None:
        """Let the current thread wait until it is woken, or until the time is over."""
        thread = self.thread
        assert thread is not None
        self._check(thread)
        thread.token += 1
        if seconds is not None:
            self._push(thread, self.now + max(seconds, 0.0))
        self._hub.switch()
        self._check(thread)

    def wake(self, thread: Thread) -> None:
        """Resume a thread now, whatever it waits for."""
        if not thread.over:
            thread.token += 1
            self._push(thread, self.now)

    def run(self, until: Callable[[], bool]) -> None:
        """Run everything until the condition holds or nothing is left to do; then end all."""
        while self._due and not until():
            due, _, _, token, thread = heapq.heappop(self._due)
            if thread.over or token != thread.token:
                continue
            if due < thread.process.stopped_until:
                self._push(thread, thread.process.stopped_until)
                continue
            self.now = max(self.now, due)
            self._resume(thread)

    def close(self) -> None:
        """End every thread that is left."""
        self.closed = True
        for process in self.processes:
            process.dead = True
            for thread in process.threads:
                while thread.greenlet and not thread.over:
                    self._resume(thread)

    def _resume(self, thread: Thread) -> None:
        self.thread = thread
        try:
            thread.greenlet.switch()
        finally:
            self.thread = None

    def _push(self, thread: Thread, due: float) -> None:
        entry = (due, self.random.random(), next(self._count), thread.token, thread)
        heapq.heappush(self._due, entry)

    def _check(self, thread: Thread) -> None:
        if thread.process.dead:
            raise KilledError
        if thread is thread.process.threads[0]:
            thread.process.stop.check()
