"""A memory limit as Cloud Run has it: processes and what they write to a folder in memory count.

It needs the right to make a control group (cgroup, version 1 or 2), and /dev/shm.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

V1, V2, MEMORY = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup"), Path("/dev/shm")


@dataclass(frozen=True)
class Group:
    """A control group with a limit of memory."""

    folder: Path

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return a command that runs in the group."""
        join = f'echo $$ > {self.folder}/cgroup.procs && exec "$@"'
        return ["sh", "-c", join, "sh", *arguments]


@contextmanager
def limited(mib: int) -> Iterator[Group]:
    """Make a group whose processes and files have `mib` MiB together.

    Raises:
        OSError: this process may not make one here.
    """
    two = (V2 / "cgroup.controllers").exists()
    group = (V2 if two else V1) / f"mmm-{uuid.uuid4().hex[:8]}"
    if not MEMORY.is_dir():
        raise OSError(f"there is no {MEMORY}")
    group.mkdir()
    try:
        names = ("memory.max", "memory.swap.max") if two else ("memory.limit_in_bytes",)
        for name in names:
            with suppress(FileNotFoundError if name == "memory.swap.max" else ()):
                (group / name).write_text(str(0 if "swap" in name else mib * 2**20))
        if two:  # as Cloud Run: the whole container ends
            (group / "memory.oom.group").write_text("1")
        yield Group(group)
    finally:
        for _ in range(50):  # until the last process has ended
            with suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.1)
