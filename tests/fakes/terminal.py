"""A terminal, of 80 columns by default: a program runs in a real pty, and pyte interprets its output."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pyte

COLUMNS, ROWS = 80, 200  # enough rows that nothing scrolls off the screen


class Terminal:
    """A program whose stdout and stderr are one terminal."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        columns: int = COLUMNS,
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
        self.process = subprocess.Popen(
            list(command), cwd=cwd, stdin=slave, stdout=slave, stderr=slave, close_fds=True,
            start_new_session=True, env={**env, "TERM": "xterm-256color"},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  for SIGHUP
        )  # fmt: skip
        os.close(slave)
        self._screen = pyte.Screen(columns, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    def read_until(self, text: str) -> None:
        """Read until the screen shows a text."""
        while not any(text in line for line in self.lines()):
            assert self._read(), f"the program ended without `{text}`:\n" + "\n".join(self.lines())

    def finish(self) -> int:
        """Read until the program has ended; return its exit code."""
        while self._read():
            pass
        code = self.process.wait(timeout=30)
        os.close(self._master)
        return code

    def type(self, text: str) -> None:
        """Type a text, as if at the keyboard."""
        os.write(self._master, text.encode())

    def interrupt(self) -> None:
        """Send SIGINT, as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)

    def close(self) -> None:
        """Close the terminal, as the user does with its window; the program gets SIGHUP."""
        os.close(self._master)

    def lines(self) -> list[str]:
        """Return the lines on the screen, without the empty ones at its end."""
        shown = [line.rstrip() for line in self._screen.display]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    @property
    def cursor_is_hidden(self) -> bool:
        """Return whether the program left the cursor hidden."""
        return bool(self._screen.cursor.hidden)

    def _read(self) -> bool:
        data = b""
        with suppress(OSError):  # Linux raises EIO once the last writer has closed
            data = os.read(self._master, 65536)
        self._stream.feed(data)
        return bool(data)
