"""What one attempt of one task works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contract.config import Config
from contract.request import Request
from contract.stores import Store
from job.attempt.lease import LeaseHolder
from job.runtime.logs import Log
from job.runtime.settings import Settings
from job.runtime.trace import Trace
from job.train.job_file import Workspace, available_cores


@dataclass(kw_only=True)
class Run:
    """One attempt. `warnings` and `estimate` come on the way and end in manifest and event.

    `announce` is told the event's facts before the market's pointer moves to the run.
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
        """Trial processes of this machine."""
        return self.config.training.cores or available_cores()

    @property
    def tasks(self) -> int:
        """Tasks that share the trials: what the config asks for, as far as they were started."""
        return tasks_of(self.config, self.settings)


def tasks_of(config: Config, settings: Settings) -> int:
    """Tasks that share a run's trials; there are never more than trials."""
    return min(config.training.tasks, config.training.trials, settings.task_count)
