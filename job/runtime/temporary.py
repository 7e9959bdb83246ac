"""Temporary folders that do not outlive their process for long.

A folder has a lock file, which is locked while the folder's process lives. The kernel releases the
lock when the process ends, even after a kill and in another container. A process that makes a
folder first removes the folders beside it whose lock is free. A process id would not work: the
system uses it again, and containers that share a folder do not see each other's processes.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Self

PREFIX = "mmm-"
_LOCK = ".owner"


class TemporaryFolder:
    """A new folder, removed at the end of the block, or by the next process if this one dies."""

    def __init__(self, kind: str = "", *, parent: str | Path | None = None) -> None:
        beside = Path(parent or tempfile.gettempdir())
        remove_stale(beside)
        lock: int | None = None
        while lock is None:  # another process may remove the folder before it is locked
            self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{kind}", dir=beside))
            lock = _lock(self.path, os.O_CREAT)
        self._owned = lock

    def __enter__(self) -> Self:
        """Return the folder."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the folder."""
        self.remove()

    def remove(self) -> None:
        """Remove the folder, as far as that is possible; a second call does nothing."""
        shutil.rmtree(self.path, ignore_errors=True)
        owned, self._owned = self._owned, -1
        if owned >= 0:
            os.close(owned)


def remove_stale(parent: Path) -> None:
    """Remove this user's folders in `parent` whose process has ended."""
    for folder in parent.glob(f"{PREFIX}*"):
        if folder.is_symlink() or not folder.is_dir():
            continue
        lock = _lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _lock(folder: Path, create: int = 0) -> int | None:
    """Lock a folder of this user; return None if it is not there, not ours, or in use."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | create, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file = os.fstat(lock)
        if file.st_uid == os.geteuid() and file.st_nlink:
            return lock
    except OSError:
        pass
    os.close(lock)
    return None
