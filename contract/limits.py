"""Limits of a run: time, cost, number of runs, and the change of its model."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, StrictFloat, StrictInt

from contract.base import Strict


class Promotion(Strict):
    """How much a new model can differ from the market's current one; a run beyond it is HELD."""

    max_roas_change: StrictFloat | None = Field(
        default=0.3,
        gt=0,
        description="Largest relative change of a channel's ROAS or CPA, unless it is within the "
        "90% interval of the current run; no limit if null.",
    )
    max_share_change: StrictFloat | None = Field(
        default=0.1,
        gt=0,
        le=1,
        description="Largest change of a channel's share of the target, unless it is within the "
        "90% interval of the current run; no limit if null.",
    )
    min_r2: StrictFloat | None = Field(
        default=None, le=1, description="Lowest R² of a model that becomes current."
    )


class WhenBusy(StrEnum):
    """What a run does while another run works on its market."""

    WAIT = "wait"
    REFUSE = "refuse"


class Limits(Strict):
    """Limits of time, cost and number of runs."""

    timeout_minutes: StrictInt = Field(
        default=120, ge=5, le=7 * 24 * 60, description="Longest time that a task can run."
    )
    when_busy: WhenBusy = Field(
        default=WhenBusy.WAIT,
        description="While another run works on the market, of any revision: `wait` for it, in "
        "order of acceptance, or `refuse` to run.",
    )
    max_runs_a_day: StrictInt | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Most runs of the market, of any revision, that start on one day (UTC).",
    )
    max_cost: StrictFloat | None = Field(
        default=None,
        gt=0,
        description="Highest estimated cost in USD; a run above it is refused before it starts.",
    )
    max_minutes: StrictFloat | None = Field(
        default=None,
        gt=0,
        description="Longest estimated duration; a run above it is refused before it starts.",
    )
