"""Lift tests: the results of experiments, which can calibrate a model."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Literal, Self

from pydantic import Field, StrictFloat, model_validator

from contract.base import Strict
from contract.dates import Day
from contract.faults import Fault, refuse
from contract.suggest import did_you_mean


class Calibration(Strict):
    """One lift test: the effect of a channel in an experiment (Robyn's `calibration_input`)."""

    channel: str = Field(
        max_length=1024, description="Channel or organic column; several are joined by `+`."
    )
    start: Day = Field(description="First day of the test.")
    end: Day = Field(description="Last day of the test.")
    lift: StrictFloat = Field(description="Absolute lift of the target in the period.")
    spend: StrictFloat = Field(ge=0, description="Spend of the channel in the period.")
    confidence: StrictFloat = Field(
        default=0.85, ge=0, le=1, description="Confidence level of the lift."
    )
    standard_error: StrictFloat | None = Field(
        default=None,
        gt=0,
        description="Standard error of the lift, for the posterior. If left out, `confidence` is "
        "taken as one minus the p-value of the lift.",
    )
    scope: Literal["immediate", "total"] = Field(
        default="immediate", description="Whether the lift includes the carry-over."
    )

    @property
    def channels(self) -> list[str]:
        """Return the channels and organic columns that the test measured."""
        return self.channel.split("+")

    @model_validator(mode="after")
    def _measures_something(self) -> Self:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        if self.end <= self.start:
            yield Fault(
                at=("end",), problem=f"is {self.end}; allowed: after `start` ({self.start})"
            )
        if self.lift == 0:
            yield Fault(
                at=("lift",),
                problem="is 0; allowed: any other number, because errors are relative to the lift",
            )


def unknown_channels(tests: Sequence[Calibration], names: Collection[str]) -> Iterator[Fault]:
    """Yield a fault for each unknown or repeated channel of a lift test."""
    for index, test in enumerate(tests):
        parts = test.channels
        for number, part in enumerate(parts):
            at = (index, "channel")
            if part not in names:
                hint = did_you_mean(part, names)
                allowed = ", ".join(sorted(names))
                yield Fault(at=at, problem=f"names `{part}`; allowed: {allowed}.{hint}")
            elif part in parts[:number]:
                yield Fault(at=at, problem=f"names `{part}` twice; allowed: each channel once")


def outside(tests: Sequence[Calibration], first: date | None, last: date | None) -> Iterator[Fault]:
    """Yield a fault for each lift test outside the modelled dates.

    Args:
        tests: the lift tests.
        first: the first date that is modelled, None if unknown.
        last: the last date that is modelled, None if unknown.
    """
    for index, test in enumerate(tests):
        if first is not None and test.start < first:
            yield Fault(
                at=(index, "start"),
                problem=f"is {test.start}; allowed: from {first}, where the modelled dates begin",
            )
        if last is not None and test.end > last:
            yield Fault(
                at=(index, "end"),
                problem=f"is {test.end}; allowed: up to {last}, where the modelled dates end",
            )
