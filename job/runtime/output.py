"""Stderr of a process whose terminal may close before it ends."""

from __future__ import annotations

import errno
import os
import sys
import termios
from typing import Any


def leave_terminal() -> None:
    """Discard further output to a terminal that is gone; a write to it would raise an error."""
    for descriptor in (1, 2):
        try:
            termios.tcgetattr(descriptor)
        except termios.error as error:
            if error.args[0] == errno.EIO:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, descriptor)
                os.close(nowhere)


def show_cursor() -> None:
    """Show the cursor, which a bar hides, on the terminal of stderr; nothing without a terminal."""
    if os.isatty(2):
        os.write(2, b"\x1b[?25h")


class Stderr:
    """`sys.stderr`, without an error when its terminal is gone: a log never ends a run."""

    def write(self, text: str) -> int:
        """Write a text."""
        try:
            return sys.stderr.write(text)
        except OSError:
            leave_terminal()
            return len(text)

    def flush(self) -> None:
        """Write what is buffered."""
        try:
            sys.stderr.flush()
        except OSError:
            leave_terminal()

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)
