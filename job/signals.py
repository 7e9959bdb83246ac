"""SIGTERM and Ctrl-C: raised once in the main thread, never where that would leave things behind.

Signals of a process may reach any of its threads, so they are not masked: the handler waits until
the last `undisturbed` block has ended.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from contract.exceptions import CancelledError

STOPPING = (signal.SIGTERM, signal.SIGINT)


class _Stop:
    """What was asked for, and how many blocks must not be disturbed."""

    reason: str | None = None
    raised = False
    blocks = 0

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

    _stop.reason, _stop.raised = None, False
    before = {sign: signal.signal(sign, on_signal) for sign in STOPPING}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """A block that a signal does not interrupt; what came meanwhile is raised at its end."""
    _stop.blocks += 1
    try:
        yield
    finally:
        _stop.blocks -= 1
    _stop.check()
