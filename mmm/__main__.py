"""The entry point of `mmm`. It handles signals from the start, even while modules load."""

from __future__ import annotations

import errno
import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import TextIO

OUTPUT_ERROR = 74  # the exit code
OUTPUT_ERRORS = (errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF)
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def main() -> None:
    """Run the command line; a signal ends it with one line and the exit code that shells expect.

    The command cleans up first: `mmm serve` ends its jobs. Further signals are ignored meanwhile,
    because the end of a terminal sends several. `nohup` keeps SIGHUP ignored.
    """
    first: int | None = None

    def interrupt(number: int, _: FrameType | None) -> None:
        nonlocal first
        if first is None:
            first = number
            raise KeyboardInterrupt

    for sign in STOPPING:
        if sign is signal.SIGINT or signal.getsignal(sign) is not signal.SIG_IGN:
            signal.signal(sign, interrupt)
    try:
        from contract.environment import hide_secrets_from_programs
        from mmm.commands import app

        hide_secrets_from_programs()

        app()
    except BaseException as error:
        if first is None:
            _end(error)
    if first is not None:  # a library may have raised its own error instead
        by = "interrupted by Ctrl-C" if first == signal.SIGINT else _stopped_by(first)
        with suppress(OSError):  # the terminal may be gone
            # Ctrl-C comes in the middle of a line, behind a prompt or the terminal's own `^C`.
            begin = "\n" if sys.stderr.isatty() else ""
            print(f"{begin}mmm: {by}", file=sys.stderr, flush=True)
        for stream in (sys.stdout, sys.stderr):
            _drop_what_nobody_reads(stream)
        sys.exit(128 + first)


def _end(error: BaseException) -> None:
    """Raise the error, unless stdout cannot be written: that is one line and no traceback."""
    try:
        if not _is_of_output(error):
            sys.stdout.flush()  # else Python tries it, and complains, after the last line of code
            raise error
    except OSError as cause:
        if not _is_of_output(cause):
            raise
        error = cause
    if isinstance(error, OSError) and error.errno != errno.EPIPE:
        print(f"mmm: the output cannot be written: {error.strerror}", file=sys.stderr, flush=True)
    for stream in (sys.stdout, sys.stderr):
        _drop_what_nobody_reads(stream)
    sys.exit(OUTPUT_ERROR)


def _is_of_output(error: BaseException) -> bool:
    """Return whether writing to a stream failed; errors of files have a name."""
    return isinstance(error, OSError) and error.errno in OUTPUT_ERRORS and error.filename is None


def _drop_what_nobody_reads(stream: TextIO) -> None:
    """Let a stream whose terminal is gone end in nothing; else Python exits with 120."""
    try:
        stream.flush()
    except OSError:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)


def _stopped_by(number: int) -> str:
    return f"stopped by {signal.Signals(number).name}"


if __name__ == "__main__":
    main()
