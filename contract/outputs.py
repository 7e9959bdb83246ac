"""Settings of the outputs: budget allocator, one-pagers, intervals, validation."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, StrictFloat, StrictInt, model_validator

from contract.base import Strict
from contract.faults import Fault, refuse


class AllocatorScenario(StrEnum):
    """Robyn's budget allocator scenarios."""

    MAX_RESPONSE = "max_response"
    TARGET_EFFICIENCY = "target_efficiency"


class Allocator(Strict):
    """One run of the budget allocator."""

    scenario: AllocatorScenario = AllocatorScenario.MAX_RESPONSE
    total_budget: StrictFloat | None = Field(
        default=None, gt=0, description="Budget of the whole modelling window."
    )
    target_value: StrictFloat | None = Field(
        default=None, gt=0, description="ROAS or CPA to reach, with `target_efficiency`."
    )
    channel_low: StrictFloat = Field(
        default=0.5, ge=0.01, description="Lowest spend of a channel, as a multiple of today's."
    )
    channel_high: StrictFloat = Field(
        default=2.0, le=100, description="Highest spend of a channel, as a multiple of today's."
    )

    @model_validator(mode="after")
    def _low_below_high(self) -> Self:
        if self.channel_low > self.channel_high:
            problem = (
                f"is {self.channel_low:g}; allowed: at most `channel_high` ({self.channel_high:g})"
            )
            refuse([Fault(at=("channel_low",), problem=problem)])
        return self


class Validation(Strict):
    """Rolling validation: the posterior of the periods before a cut predicts the next ones."""

    folds: StrictInt = Field(
        default=0, ge=0, le=10, description="Number of predictions; 0 for no validation."
    )
    horizon: StrictInt = Field(
        default=8, ge=2, le=400, description="Number of periods in one prediction."
    )


class IntervalMethod(StrEnum):
    """Source of the intervals: similar models (as Robyn), refits to resampled data, or none."""

    CLUSTER = "cluster"
    BOOTSTRAP = "bootstrap"
    NONE = "none"


class Intervals(Strict):
    """Intervals of ROAS (CPA for conversions) and of contribution shares."""

    method: IntervalMethod = Field(
        default=IntervalMethod.CLUSTER,
        description="`cluster`: how much similar models agree, as in Robyn; `bootstrap`: how much "
        "the chosen model's figures depend on noise, by refits; `none`.",
    )
    level: StrictFloat = Field(
        default=0.95, ge=0.5, le=0.99, description="Share of the values that an interval holds."
    )
    draws: StrictInt = Field(default=500, ge=100, le=10_000, description="Refits of `bootstrap`.")
    block: Literal["auto"] | Annotated[StrictInt, Field(ge=1, le=400)] = Field(
        default="auto", description="Number of periods that `bootstrap` keeps together."
    )

    @model_validator(mode="after")
    def _has_effect(self) -> Self:
        if self.method is IntervalMethod.BOOTSTRAP:
            return self
        fields = type(self).model_fields
        refuse(
            Fault(at=(name,), problem="has no effect here; it needs `method: bootstrap`")
            for name in ("draws", "block")
            if name in self.model_fields_set and getattr(self, name) != fields[name].default
        )
        return self


class Outputs(Strict):
    """The outputs of a run."""

    allocator: list[Allocator] = Field(
        default=[Allocator()], max_length=20, description="Scenarios of the budget allocator."
    )
    onepagers: StrictInt = Field(
        default=3, ge=0, le=10, description="Number of one-pagers, the best models first."
    )
    intervals: Intervals = Intervals()
    validation: Validation = Validation()
    include_data: StrictBool = Field(
        default=False,
        description="Whether artifacts contain the input: `data.parquet` and the data in Robyn's "
        "objects.",
    )
