"""Show the progress of a run: bars on a terminal, log lines elsewhere."""

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

from job.runtime.logs import Log, Style, configure, stderr_console
from job.runtime.signals import shielded
from job.runtime.trace import Step

BAR_WIDTH = 24  # so that a whole row fits into 80 columns


def make_view(style: Style, log: Log, console: Console) -> View:
    """Return bars if lines for people go to a terminal, else log lines.

    Args:
        style: The style of the log.
        log: Where lines go.
        console: The console that the log prints with; it draws the bars too.
    """
    return Bars(console) if style == "console" and console.is_terminal else Lines(log)


def open_log(style: Style) -> tuple[Log, View]:
    """Configure the log of this process; return it with the view that draws beside it."""
    console = stderr_console()
    log = configure(style, console)
    return log, make_view(style, log, console)


class View(Protocol):
    """Shows the progress of a run."""

    def step(self, step: Step) -> None:
        """Show that a step started or ended."""

    def progress(self, record: dict[str, Any]) -> None:
        """Show a progress record of R."""


class Lines:
    """Writes a log line per quarter of a trial."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._quarters: dict[int, int] = {}

    def step(self, step: Step) -> None:
        """Show nothing: steps are in the log already."""

    def progress(self, record: dict[str, Any]) -> None:
        """Write a line when a trial enters a new quarter."""
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
    """Draws one bar per trial while R searches."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("  {task.description}"),
            BarColumn(BAR_WIDTH),
            MofNCompleteColumn(),
            TextColumn("{task.fields[best]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._tasks: dict[int, TaskID] = {}

    def step(self, step: Step) -> None:
        """Draw the bars during the training step only."""
        if step.name != "train":
            return
        with shielded():  # a signal in between would leave the cursor hidden
            if step.state == "started":
                self._progress.start()
            else:
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
