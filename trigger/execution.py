"""Executions of the job, and the interface of a launcher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from contract import environment
from contract.exceptions import TransientError


class Phase(StrEnum):
    """The phase of an execution."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_over(self) -> bool:
        """Return whether the execution has ended."""
        return self not in (Phase.PENDING, Phase.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Launch:
    """The overrides of one execution to start."""

    run_id: str
    config_uri: str | None = None
    task_count: int = 1
    timeout: timedelta = timedelta(hours=2)

    def env(self) -> dict[str, str]:
        """Return the environment variables that this execution adds to the job's own."""
        return {
            environment.RUN_ID: self.run_id,
            **({environment.CONFIG_URI: self.config_uri} if self.config_uri else {}),
        }


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One execution as its runner reports it; `reason` is the runner's explanation of its end."""

    name: str
    phase: Phase
    env: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None

    @property
    def run_id(self) -> str | None:
        """The id of the execution's run, None if it has none."""
        return self.env.get(environment.RUN_ID)


class NotStartedError(TransientError):
    """Nothing was started, and a later attempt may work (quota, conflict)."""


class MaybeStartedError(TransientError):
    """No answer arrived: the execution may or may not have started."""


class Launcher(Protocol):
    """Starts and stops executions. Every call may raise TransientError and ServiceError."""

    def launch(self, launch: Launch) -> str:
        """Start an execution and return its name.

        Raises:
            NotStartedError, MaybeStartedError: see these classes.
            ServiceError: this execution can never be started.
        """

    def find(self, run_id: str) -> list[Execution]:
        """Return the executions that were started for a run, oldest first."""

    def get(self, name: str) -> Execution | None:
        """Return an execution by name, None if it does not exist."""

    def cancel(self, name: str) -> None:
        """Stop an execution; do nothing if it has ended or no longer exists."""
