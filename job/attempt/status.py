"""Write an attempt's steps, progress and heartbeats into the run's status."""

from __future__ import annotations

import time
from typing import Any

from contract.events import EventData
from contract.exceptions import CancelledError
from contract.run import RunError, State, Status, change_status, now
from contract.stores import Store
from job.runtime.progress import View
from job.runtime.settings import Settings
from job.runtime.trace import Step, Trace

PROGRESS_SECONDS = 5.0


class StatusWriter:
    """Keeps `runs/<run id>/status.json` up to date while the attempt works.

    `ended` holds the terminal state that another process has written meanwhile, if any.
    """

    def __init__(self, store: Store, run_id: str, settings: Settings, view: View) -> None:
        self.trace: Trace | None = None
        self.ended: State | None = None
        self._store, self._run_id, self._settings, self._view = store, run_id, settings, view
        self._progress: dict[str, Any] = {}
        self._written = 0.0

    def step(self, step: Step) -> None:
        """Record that a step started or finished; a failure is written later, with its error."""
        self._view.step(step)
        if step.name != "event" and step.state != "failed":
            self._write({"step": step.name, "steps": self.trace.as_list() if self.trace else []})

    def progress(self, record: dict[str, Any]) -> None:
        """Show a progress record of R, and write it every PROGRESS_SECONDS."""
        self._view.progress(record)
        if record.get("type") != "progress":
            return
        trial = str(record.get("trial"))
        self._progress = {
            "trials": record.get("trials"),
            "iterations": record.get("iterations"),
            "by_trial": {**self._progress.get("by_trial", {}), trial: record.get("iteration")},
        }
        if time.monotonic() - self._written > PROGRESS_SECONDS:
            self.beat()

    def beat(self) -> None:
        """Write a heartbeat."""
        self._write({})

    def announce(self, data: EventData) -> None:
        """Write the run's outcome before its results become the market's current ones.

        Raises:
            CancelledError: the run has ended meanwhile.
        """
        self._write({"outcome": data.model_dump(mode="json")})
        if self.ended:
            raise CancelledError(f"the run has ended: {self.ended}")

    def _write(self, fields: dict[str, Any]) -> None:
        self._written = time.monotonic()
        settings = self._settings

        def change(old: Status) -> dict[str, Any]:
            if old.has_left(settings.execution):
                return {}
            return {
                "state": State.RUNNING,
                "heartbeat_at": now(),
                "attempt": settings.attempt,
                "execution": settings.execution,
                **fields,
                "progress": _merge_progress(old.progress, self._progress),
            }

        status = change_status(self._store, self._run_id, change)
        if status.state.is_terminal:
            self.ended = status.state


def note_failure(
    store: Store, run_id: str, settings: Settings, error: RunError, *, steps: list[dict[str, Any]]
) -> Status:
    """Write the error of an attempt that will be retried; the run stays RUNNING."""

    def change(old: Status) -> dict[str, Any]:
        if old.has_left(settings.execution):
            return {}
        return {"state": State.RUNNING, "steps": steps, "error": error, "outcome": {}}

    return change_status(store, run_id, change)


def _merge_progress(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the progress of all tasks: each task writes the trials that it trains."""
    trials = {**old.get("by_trial", {}), **new.get("by_trial", {})}
    return {**old, **new, "by_trial": trials} if trials else {**old, **new}
