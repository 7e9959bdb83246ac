"""SIGTERM and Ctrl-C: raised once in the main thread, never where that would leave things behind.

Signals of a process may reach any of its threads, so they are not masked: the handler waits until
the last `undisturbed` block has ended.

A process that was told to stop leaves within LEAVE_SECONDS, whatever hangs: a thread of its own
then does what `at_last` blocks ask for and ends the process. The thread is woken by the signal's
wakeup descriptor, for Python's handlers wait while the main thread is inside a library.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from contract.exceptions import CancelledError

STOPPING = (signal.SIGTERM, signal.SIGINT)
LEAVE_SECONDS = 4.5  # Cloud Run's SIGKILL comes after 10


class _Stop:
    """What was asked for and when, and how many blocks must not be disturbed."""

    reason: str | None = None
    raised = False
    leaving = False
    blocks = 0
    deadline = float("inf")
    last_acts: tuple[Callable[[], object], ...] = ()

    def check(self) -> None:
        if self.reason and not self.raised and self.blocks == 0:
            self.raised = True
            raise CancelledError(self.reason)


_stop = _Stop()


@contextmanager
def stoppable() -> Iterator[None]:
    """The first SIGTERM or Ctrl-C raises CancelledError; further ones are ignored."""

    def on_signal(number: int, _: FrameType | None) -> None:
        if _stop.reason is None:
            _stop.reason = f"told to stop by {signal.Signals(number).name}"
        _stop.check()

    _stop.reason, _stop.raised, _stop.leaving = None, False, False
    before = {sign: signal.signal(sign, on_signal) for sign in STOPPING}
    try:
        with _deadline():
            yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
        _stop.leaving, _stop.reason, _stop.deadline = _stop.reason is not None, None, float("inf")


@contextmanager
def _deadline() -> Iterator[None]:
    """End the process LEAVE_SECONDS after the first signal, unless the block has ended by then."""
    told, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            if select.select([told], [], [], 0.5)[0] and set(os.read(told, 64)) & set(STOPPING):
                _stop.deadline = time.monotonic() + LEAVE_SECONDS
                if not over.wait(LEAVE_SECONDS):
                    _end_at_once()

    before = signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    watcher = threading.Thread(target=watch, name="deadline", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        over.set()
        os.write(wakeup, b"\0")  # wake the watcher
        watcher.join()
        os.close(told)
        os.close(wakeup)


def _end_at_once() -> None:
    for act in reversed(_stop.last_acts):
        with suppress(OSError):
            act()
    os.write(2, b"told to stop, and something hangs: leaving without a last word\n")
    os._exit(CancelledError.exit_code)


@contextmanager
def at_last(act: Callable[[], object]) -> Iterator[None]:
    """What is to be done if the process must end inside the block; the innermost comes first."""
    _stop.last_acts = (*_stop.last_acts, act)
    try:
        yield
    finally:
        _stop.last_acts = _stop.last_acts[:-1]


def told_to_stop() -> str | None:
    """By what this process was told to stop; None where it was not, and outside of `stoppable`."""
    return _stop.reason


def seconds_left() -> float:
    """Until the process ends whatever it does; infinite where nobody told it to stop."""
    return _stop.deadline - time.monotonic()


def leave(code: int) -> int:
    """Give the exit code back; a process that was told to stop ends here, whatever threads do."""
    if _stop.leaving:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


@contextmanager
def undisturbed() -> Iterator[None]:
    """A block that a signal does not interrupt; what came meanwhile is raised at its end."""
    _stop.blocks += 1
    try:
        yield
    finally:
        _stop.blocks -= 1
    _stop.check()
