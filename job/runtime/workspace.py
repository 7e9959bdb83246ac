"""The local folders and files of one attempt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from job.runtime.signals import on_forced_exit, shielded
from job.runtime.temporary import TemporaryFolder


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """The local folders and files of one attempt; all below `root`."""

    root: Path

    @property
    def output(self) -> Path:
        """The folder of files that become artifacts."""
        return self.root / "output"

    @property
    def work(self) -> Path:
        """R's own folder; `trials/` below it holds the checkpoints."""
        return self.root / "work"

    @property
    def trials(self) -> Path:
        """The folder of trial checkpoints."""
        return self.work / "trials"

    @property
    def snapshot(self) -> Path:
        """The extract as Parquet."""
        return self.root / "snapshot.parquet"

    @property
    def data_csv(self) -> Path:
        """The extract as R reads it."""
        return self.root / "data.csv"

    @property
    def holidays_csv(self) -> Path:
        """The country's holidays."""
        return self.root / "holidays.csv"

    @property
    def job_json(self) -> Path:
        """The file that R reads."""
        return self.root / "job.json"

    @property
    def progress(self) -> Path:
        """The JSON lines of progress that R appends."""
        return self.root / "progress.jsonl"

    @property
    def result(self) -> Path:
        """The result file that R writes at its end."""
        return self.root / "result.json"

    def make(self) -> None:
        """Create the folders."""
        for folder in (self.output, self.trials):
            folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def temporary_workspace() -> Iterator[Workspace]:
    """Yield a workspace in a temporary folder, removed even if a signal ends the process."""
    folder = TemporaryFolder()
    try:
        with on_forced_exit(folder.remove):
            yield Workspace(root=folder.path)
    finally:
        with shielded():
            folder.remove()
