"""Detect a full disk and report it clearly."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from contract.stores.folder import FULL
from job.runtime.logs import Log

_WORDS = ("no space left on device", "disk quota exceeded", "file too large")
LEAST_BYTES = 64 * 1024


def is_full(folder: Path) -> bool:
    """Return whether a folder has less than LEAST_BYTES left."""
    return shutil.disk_usage(folder).free < LEAST_BYTES


def is_disk_error(error: BaseException) -> bool:
    """Return whether an error, or its cause, says that a disk is full.

    A context that was set aside (`raise … from None`) is no cause.
    """
    return any(
        (isinstance(e, OSError) and e.errno in FULL) or any(w in str(e).lower() for w in _WORDS)
        for e in _chain(error)
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # an error may be its own cause's cause
        seen.add(id(error))
        yield error
        context = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or context


class ConsoleFile:
    """A file of R's output; if it cannot be written any longer, R continues without it."""

    def __init__(self, path: Path, log: Log) -> None:
        self._path, self._log = path, log
        self._lock = threading.Lock()
        self._broken = False
        path.touch()

    def write(self, line: str) -> None:
        """Append a line; lines of several threads do not mix."""
        with self._lock:
            if self._broken:
                return
            try:
                with self._path.open("ab", buffering=0) as file:
                    file.write(f"{line}\n".encode())
            except OSError as error:
                self._broken = True
                self._log.warning(f"{self._path.name} ends early: {error.strerror}")
