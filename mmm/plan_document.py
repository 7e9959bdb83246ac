"""What `mmm plan --json` prints."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from contract.facts import EstimatedCost
from job.posterior.predictive import PriorExpectation


class Change(BaseModel, frozen=True):
    """A field that differs from the config of the market's current run."""

    field: str
    before: Any
    after: Any


class Plan(BaseModel, frozen=True):
    """What a run would do: `mmm plan`."""

    config: dict[str, Any]
    origins: dict[str, str]
    config_hash: str
    run_id: str
    sql: str
    annotations: dict[str, Any] | None
    estimate: EstimatedCost
    needed_gib: float
    over_limits: list[str]
    prior: PriorExpectation | None
    current: str | None
    changes: list[Change]
