"""Stop on a signal: raise once in the main thread, never inside a shielded block.

SIGTERM, Ctrl-C, SIGQUIT and the end of the terminal (SIGHUP) all stop a run. A signal that was
ignored when the process began stays ignored, so that `nohup` works.

A signal may reach any thread of the process, so signals are not masked: the handler waits until the
last `shielded` block has ended.

After a signal the process ends within EXIT_SECONDS, even if something hangs: a thread then runs the
`on_forced_exit` actions and ends the process. The signal's wakeup descriptor wakes that thread,
because Python's own handlers wait while the main thread is inside a library.
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
from job.runtime.output import leave_terminal, show_cursor

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
EXIT_SECONDS = 6.5  # Cloud Run sends SIGKILL after 10; the rest is for a machine that is busy


class _Stop:
    """The signal that arrived, the deadline, and how many shielded blocks are open."""

    active = False
    number: int | None = None
    reason: str | None = None
    raised = False
    exiting = False
    blocks = 0
    deadline = float("inf")
    exit_actions: tuple[Callable[[], object], ...] = ()

    def check(self) -> None:
        if self.reason and not self.raised and self.blocks == 0:
            self.raised = True
            raise CancelledError(self.reason)


_stop = _Stop()


@contextmanager
def stop_on_signal() -> Iterator[None]:
    """Raise CancelledError on the first signal of STOPPING; ignore further ones."""

    def on_signal(number: int, _: FrameType | None) -> None:
        if _stop.reason is None:
            _stop.number = number
            leave_terminal()
            name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
            _stop.reason = f"stopped by {name}"
        _stop.check()

    _stop.number, _stop.reason, _stop.raised, _stop.exiting = None, None, False, False
    before = {sign: signal.signal(sign, on_signal) for sign in STOPPING if not _is_ignored(sign)}
    try:
        with _deadline():
            _stop.active = True
            yield
    finally:
        _stop.active = False
        for sign, handler in before.items():
            signal.signal(sign, handler)
        _stop.exiting, _stop.reason, _stop.deadline = _stop.reason is not None, None, float("inf")


def _is_ignored(sign: signal.Signals) -> bool:
    """Return whether the parent asked to ignore a signal of the terminal, as `nohup` does."""
    chosen = sign in (signal.SIGHUP, signal.SIGQUIT)
    return chosen and signal.getsignal(sign) is signal.SIG_IGN


@contextmanager
def _deadline() -> Iterator[None]:
    """End the process EXIT_SECONDS after the first signal, unless the block ends first."""
    woken, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            if select.select([woken], [], [], 0.5)[0] and set(os.read(woken, 64)) & set(STOPPING):
                _stop.deadline = time.monotonic() + EXIT_SECONDS
                if not over.wait(EXIT_SECONDS):
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
        os.close(woken)
        os.close(wakeup)


def _end_at_once() -> None:
    for act in (*reversed(_stop.exit_actions), show_cursor):
        with suppress(OSError):
            act()
    os.write(2, b"a call did not return after the signal to stop; the process ends now\n")
    os._exit(_exit_code(CancelledError.exit_code))


@contextmanager
def on_forced_exit(act: Callable[[], object]) -> Iterator[None]:
    """Run `act` if the process is ended by force inside the block; the innermost runs first."""
    _stop.exit_actions = (*_stop.exit_actions, act)
    try:
        yield
    finally:
        _stop.exit_actions = _stop.exit_actions[:-1]


def can_stop() -> bool:
    """Return whether this process is inside `stop_on_signal`."""
    return _stop.active


def stop_process(reason: str) -> None:
    """Stop this process as SIGTERM does, but for `reason`; from any thread."""
    if _stop.active and _stop.reason is None:
        _stop.number, _stop.reason = signal.SIGTERM, reason
        os.kill(os.getpid(), signal.SIGTERM)


def stop_reason() -> str | None:
    """Return why this process must stop, None if no signal arrived inside `stop_on_signal`."""
    return _stop.reason


def seconds_left() -> float:
    """Return the seconds until the process is ended by force; infinite without a signal."""
    return _stop.deadline - time.monotonic()


def finish(code: int) -> int:
    """Return the exit code; after a signal, end the process here without waiting for threads.

    A cancelled run then ends with 128 and the signal's number, as shells expect: 143 for SIGTERM,
    130 for Ctrl-C.
    """
    if _stop.exiting:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_exit_code(code))
    return code


def _exit_code(code: int) -> int:
    if code == CancelledError.exit_code and _stop.number is not None:
        return 128 + _stop.number
    return code


@contextmanager
def shielded() -> Iterator[None]:
    """Delay a signal until the end of the block, where it is raised."""
    _stop.blocks += 1
    try:
        yield
    finally:
        _stop.blocks -= 1
    _stop.check()
