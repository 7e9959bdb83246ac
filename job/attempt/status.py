"""Write an attempt's steps, progress and heartbeats into the bucket, as best it can.

A bucket may take only one write a second of each object (`Store.write_pause`). Steps that follow
each other faster are then written together, and progress is written every PROGRESS_SECONDS. If it
cannot be written, the attempt continues: progress is for people, the lease says who is alive.

The task that owns the run writes `status.json`: task 0, and later the task that makes the outputs.
Every other task writes an object of its own, `tasks/<n>.json`.
"""

from __future__ import annotations

import threading
import time
from contextvars import copy_context
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from contract import layout
from contract.events import EventData
from contract.exceptions import CancelledError, MMMError, NotFoundError
from contract.run import RunError, State, Status, TaskStatus, change_status, now, read_status
from contract.stores import Store
from job.runtime.logs import Log
from job.runtime.progress import View
from job.runtime.settings import Settings
from job.runtime.trace import Step, Trace

STEP_SECONDS = 2.0  # between two writes, if the bucket limits them
PROGRESS_SECONDS = 5.0
OWNERS_STEPS = ("outputs", "upload", "promote")


class StatusWriter:
    """Keeps the status of the run, or of this task, up to date inside a `with` block.

    `ended` holds the terminal state that another process has written meanwhile, if any.
    """

    def __init__(
        self,
        store: Store,
        run_id: str,
        settings: Settings,
        view: View,
        *,
        log: Log,
        last_write: datetime | None = None,
    ) -> None:
        self.trace: Trace | None = None
        self.ended: State | None = None
        self._store, self._run_id, self._settings = store, run_id, settings
        self._view, self._log = view, log
        self._owns_run = settings.task_index == 0
        self._progress: dict[str, Any] = {}
        self._step: str | None = None
        self._steps: list[dict[str, Any]] = []
        self._pause = STEP_SECONDS if store.write_pause else 0.0
        age = (now() - last_write).total_seconds() if last_write else self._pause
        self._written = time.monotonic() - min(max(age, 0.0), self._pause)
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave out what is not written yet; the end of the attempt writes it."""
        if self._timer is not None:
            self._timer.cancel()

    def step(self, step: Step) -> None:
        """Record that a step started or finished; a failure is written later, with its error."""
        self._view.step(step)
        if step.name == "event" or step.state == "failed":
            return
        self._owns_run = self._owns_run or step.name in OWNERS_STEPS
        self._step = step.name
        self._steps = self.trace.as_list() if self.trace else []
        wait = self._written + self._pause - time.monotonic()
        if wait <= 0:
            self.beat()
        elif self._timer is None or not self._timer.is_alive():
            self._timer = threading.Timer(wait, copy_context().run, args=(self.beat,))
            self._timer.daemon = True
            self._timer.start()

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
        """Write a heartbeat, and whatever is new; log it if that fails."""
        self._written = time.monotonic()
        try:
            if self._owns_run:
                self._write_run({})
            else:
                with self._lock:
                    write_task(self._store, self._run_id, self._settings, **self._fields())
                    self._look(read_status(self._store, self._run_id))
        except CancelledError:  # the run stops, it does not go on without its progress
            raise
        except MMMError as error:
            self._log.warning(f"the progress could not be written: {error}")

    def announce(self, data: EventData) -> None:
        """Write the run's outcome before its results become the market's current ones.

        Raises:
            CancelledError: the run has ended meanwhile.
            MMMError: the outcome cannot be written.
        """
        self._write_run({"outcome": data.model_dump(mode="json")})
        if self.ended:
            raise CancelledError(f"the run has ended: {self.ended}")

    def _fields(self) -> dict[str, Any]:
        return {
            "heartbeat_at": now(),
            "step": self._step,
            "steps": self._steps,
            "progress": self._progress,
        }

    def _write_run(self, fields: dict[str, Any]) -> None:
        settings = self._settings

        def change(old: Status) -> dict[str, Any]:
            if old.has_left(settings.execution):
                return {}
            return {
                "state": State.RUNNING,
                "attempt": settings.attempt,
                "execution": settings.execution,
                **self._fields(),
                **fields,
            }

        with self._lock:
            self._look(change_status(self._store, self._run_id, change))

    def _look(self, status: Status | None) -> None:
        if status is not None and status.state.is_terminal:
            self.ended = status.state


def write_task(store: Store, run_id: str, settings: Settings, **fields: Any) -> None:
    """Write the status of a task that does not own its run; only this task writes the object."""
    task = TaskStatus(
        run_id=run_id,
        task=settings.task_index,
        execution=settings.execution,
        attempt=settings.attempt,
        updated_at=now(),
        **fields,
    )
    store.write(layout.task(run_id, settings.task_index), task.to_json())


def note_failure(
    store: Store, run_id: str, settings: Settings, error: RunError, *, steps: list[dict[str, Any]]
) -> Status:
    """Write the error of an attempt that will be retried; the run stays RUNNING.

    Returns:
        The run's status; its error is the attempt's.
    """
    if settings.task_index > 0:
        write_task(store, run_id, settings, error=error, steps=steps)
        status = read_status(store, run_id)
        if status is None:
            raise NotFoundError(f"run {run_id} has no status in {store.url}")
        return status if status.state.is_terminal else status.model_copy(update={"error": error})

    def change(old: Status) -> dict[str, Any]:
        if old.has_left(settings.execution):
            return {}
        return {"state": State.RUNNING, "steps": steps, "error": error, "outcome": {}}

    return change_status(store, run_id, change)
