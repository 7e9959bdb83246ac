"""Progress bars for people; nothing at all where the output is no terminal."""

from __future__ import annotations

from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from job.trace import Step


class View(Protocol):
    """What wants to know how a run goes on."""

    def step(self, step: Step) -> None:
        """A step started or ended."""

    def progress(self, record: dict[str, Any]) -> None:
        """A progress record of R."""


class NoView:
    """Logs only."""

    def step(self, step: Step) -> None:
        """Nothing to show."""

    def progress(self, record: dict[str, Any]) -> None:
        """Nothing to show."""


class Bars:
    """One bar per trial while R searches."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[best]}"), TimeElapsedColumn(), console=console,
        )
        self._tasks: dict[int, TaskID] = {}

    def step(self, step: Step) -> None:
        """Bars live as long as the training step."""
        if step.name == "train" and step.state == "started":
            self._progress.start()
        elif step.name == "train":
            self._progress.stop()

    def progress(self, record: dict[str, Any]) -> None:
        """Move a trial's bar."""
        if record.get("type") != "progress":
            return
        trial, total = int(record["trial"]), int(record["iterations"])
        if trial not in self._tasks:
            self._tasks[trial] = self._progress.add_task(f"trial {trial}", total=total, best="")
        best = record.get("best_nrmse")
        self._progress.update(
            self._tasks[trial], completed=int(record["iteration"]),
            best=f"NRMSE {best:.4f}" if isinstance(best, int | float) else "",
        )
