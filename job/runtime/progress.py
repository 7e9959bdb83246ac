"""How a run goes on, for people: bars on a terminal, lines elsewhere."""

from __future__ import annotations

from typing import Any, Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from job.runtime.logs import Log, Style
from job.runtime.trace import Step


def make_view(style: Style, log: Log) -> View:
    """Bars on a terminal, lines where people read a file; on Cloud Run lines as well."""
    console = Console()
    return Bars(console) if style == "console" and console.is_terminal else Lines(log)


class View(Protocol):
    """What wants to know how a run goes on."""

    def step(self, step: Step) -> None:
        """A step started or ended."""

    def progress(self, record: dict[str, Any]) -> None:
        """A progress record of R."""


class Lines:
    """A log line per quarter of a trial, where bars would only be noise."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._quarters: dict[int, int] = {}

    def step(self, step: Step) -> None:
        """Steps are in the log already."""

    def progress(self, record: dict[str, Any]) -> None:
        """Tell each quarter once."""
        if record.get("type") != "progress":
            return
        trial, done, total = (int(record[k]) for k in ("trial", "iteration", "iterations"))
        quarter = 4 * done // max(total, 1)
        if quarter > self._quarters.get(trial, 0):
            self._quarters[trial] = quarter
            best = record.get("best_nrmse")
            tail = f", best NRMSE {best:.4f}" if isinstance(best, int | float) else ""
            self._log.info(f"trial {trial}: {done} of {total} iterations{tail}")


class Bars:
    """One bar per trial while R searches."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[best]}"),
            TimeElapsedColumn(),
            console=console,
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
            self._tasks[trial],
            completed=int(record["iteration"]),
            total=total,
            best=f"NRMSE {best:.4f}" if isinstance(best, int | float) else "",
        )
