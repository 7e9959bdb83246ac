"""The entry point of `mmm`. It handles Ctrl-C from the start, even while modules load."""

from __future__ import annotations

import signal
import sys
from types import FrameType

INTERRUPTED = 130  # the exit code that shells expect after Ctrl-C


def main() -> None:
    """Run the command line; Ctrl-C ends it with one line and exit code 130."""
    pressed = False

    def interrupt(_: int, __: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    try:
        from contract.environment import hide_secrets_from_programs
        from mmm.commands import app

        hide_secrets_from_programs()

        app()
    except BaseException:
        if not pressed:
            raise
    if pressed:  # a library may have raised its own error instead
        print("mmm: interrupted by Ctrl-C", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
