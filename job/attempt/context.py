"""The state that the steps of one attempt share.

A step (extract, gate, train, outputs, promote) takes the whole `Attempt`. Functions below a step
take only the values that they need.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contract.config import Config
from contract.request import Request
from contract.stores import Store
from job.attempt import watch
from job.attempt.lease import LeaseHolder
from job.runtime.logs import Log
from job.runtime.machine import available_cores
from job.runtime.settings import Settings
from job.runtime.trace import Trace
from job.runtime.workspace import Workspace


@dataclass(kw_only=True)
class Attempt:
    """One attempt of one task.

    Attributes:
        stop: Returns the reason to stop, None while the attempt may continue.
        announce: Writes the event's facts into the status before the run becomes current.
        warnings: Warnings for readers of the results; written to manifest and event.
        estimate: The cost estimate, which is within the limits.
    """

    request: Request
    config: Config
    settings: Settings
    store: Store
    workspace: Workspace
    trace: Trace
    log: Log
    on_progress: Callable[[dict[str, Any]], None]
    stop: Callable[[], str | None]
    lease: LeaseHolder
    announce: Callable[[dict[str, Any]], None]
    warnings: list[str] = field(default_factory=list)
    estimate: dict[str, Any] | None = None

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.request.run_id

    @property
    def cores(self) -> int:
        """The number of trials that this machine trains at a time."""
        return self.config.training.cores or available_cores()

    def check(self) -> None:
        """Make sure that the run may continue; call it before anything of the run is written.

        Raises:
            CancelledError: the run has ended, or must stop.
        """
        watch.check(self.store, self.run_id)

    @property
    def tasks(self) -> int:
        """The number of tasks that share the trials."""
        return tasks_of(self.config, self.settings)


def tasks_of(config: Config, settings: Settings) -> int:
    """Return the number of tasks that share a run's trials: at most as many as were started."""
    return min(config.training.tasks, config.training.trials, settings.task_count)
