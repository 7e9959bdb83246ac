"""Executions of the job, and what can be asked of whoever runs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from contract.exceptions import TransientError

RUN_ID = "MMM_RUN_ID"
CONFIG_URI = "MMM_CONFIG_URI"


class Phase(StrEnum):
    """Where an execution stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self not in (Phase.PENDING, Phase.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What to start: the overrides of one execution."""

    run_id: str
    config_uri: str | None = None
    task_count: int = 1
    timeout: timedelta = timedelta(hours=2)

    def env(self) -> dict[str, str]:
        """The environment variables that the job is given on top of its own."""
        return {RUN_ID: self.run_id, **({CONFIG_URI: self.config_uri} if self.config_uri else {})}


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One execution as its runner sees it; `reason` is the runner's own explanation of its end."""

    name: str
    phase: Phase
    env: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None

    @property
    def run_id(self) -> str | None:
        """The run that it was started for."""
        return self.env.get(RUN_ID)


class NotStartedError(TransientError):
    """Nothing was started, and a later attempt may work (quota, conflict)."""


class MaybeStartedError(TransientError):
    """No answer came: the execution may have been started or not."""


class Launcher(Protocol):
    """Whoever runs executions. Every call may raise TransientError and ServiceError."""

    def launch(self, launch: Launch) -> str:
        """Start an execution and return its name.

        Raises:
            NotStartedError, MaybeStartedError: see there.
            ServiceError: it can never be started like this.
        """

    def find(self, run_id: str) -> list[Execution]:
        """Executions that were started for a run, oldest first."""

    def get(self, name: str) -> Execution | None:
        """An execution by name, None where it does not exist (any more)."""

    def cancel(self, name: str) -> None:
        """Stop an execution; one that has ended or vanished is left as it is."""
