"""The peak memory of a program and of all processes that it starts, and of its files."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

SECONDS_BETWEEN = 0.2


class PeakMemory:
    """Sample a process tree while the block runs; `mb` is the largest sum of its PSS.

    In PSS (proportional set size), a page that n processes share counts as 1/n for each. A fork's
    untouched pages therefore count once. The size of a folder of `files` is added; `files_mb` is
    the largest one.
    """

    def __init__(self, process: subprocess.Popen[str], *, files: Path | None = None) -> None:
        """Watch `process`, its descendants and its files."""
        self.mb = self.files_mb = 0.0
        self._files = files
        self._root = psutil.Process(process.pid)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        """Start sampling."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop sampling."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN):
            files = _size(self._files) / 2**20 if self._files else 0.0
            self.mb = max(self.mb, _tree(self._root) / 2**20 + files)
            self.files_mb = max(self.files_mb, files)


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except OSError:  # the file has just been removed
            continue
    return total


def _tree(root: psutil.Process) -> float:
    try:
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(_share(member) for member in family)


def _share(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # the process has just ended
        return 0.0
