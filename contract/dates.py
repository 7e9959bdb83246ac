"""The date column, the length of a period and the modelling window."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from contract.base import Strict
from contract.faults import Fault, refuse
from contract.suggest import did_you_mean
from contract.text import ALLOWED_DATE_FORMAT, ALLOWED_TIME_ZONE, Column, DateFormat, TimeZone

_OF_THE_MACHINE = ("localtime", "posixrules")  # files beside the time zones, not time zones
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")


def _no_timestamp(value: Any) -> Any:
    """Refuse numbers, which pydantic would read as seconds since 1970."""
    if isinstance(value, bool | int | float) or (
        isinstance(value, str) and not _ISO.fullmatch(value)
    ):
        raise PydanticCustomError("date_text", "Input should be a date")
    return value


Day = Annotated[date, BeforeValidator(_no_timestamp)]


class Frequency(StrEnum):
    """Length of one period of the model."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Weekday(StrEnum):
    """First day of a week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Fill(StrEnum):
    """How periods without a row are filled."""

    NONE = "none"
    ZERO = "zero"


class DateRange(Strict):
    """The date column and the modelling window."""

    column: Column
    start: Day | None = Field(default=None, description="First date; the data's first if left out.")
    end: Day | None = Field(default=None, description="Last date; the data's last if left out.")
    window_start: Day | None = Field(
        default=None,
        description="First date that is modelled; prophet and adstock also use the rows before.",
    )
    window_end: Day | None = Field(default=None, description="Last date that is modelled.")
    frequency: Frequency = Frequency.WEEK
    week_start: Weekday = Weekday.MONDAY
    format: DateFormat | None = Field(
        default=None,
        description="How a text column writes its dates, e.g. %d.%m.%Y; ISO if left out.",
    )
    timezone: TimeZone = Field(
        default="UTC",
        description="Time zone that decides which day a moment belongs to, e.g. Europe/Berlin. "
        "Moments without a zone are then UTC.",
    )
    fill: Fill = Field(
        default=Fill.NONE,
        description="What happens to missing periods: `none` reports them in the gate; `zero` adds "
        "rows with 0 in summed columns and the previous value in all others.",
    )

    @model_validator(mode="after")
    def _known_time_zone(self) -> Self:
        if self.timezone == "UTC":
            return self
        try:
            known = self.timezone not in _OF_THE_MACHINE and ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, OSError, ValueError):
            known = False
        if not known:
            hint = did_you_mean(
                self.timezone, {zone for zone in available_timezones() if "/" in zone}
            )
            problem = f"is `{self.timezone}`; allowed: {ALLOWED_TIME_ZONE}.{hint}"
            refuse([Fault(at=("timezone",), problem=problem)])
        return self

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        refuse(self._order_faults())
        return self

    @model_validator(mode="after")
    def _whole_format(self) -> Self:
        parts = re.findall("%([A-Za-z])", self.format or "")
        given = [sum(part in kind for part in parts) for kind in ("Yy", "mbB", "d")]
        days = (0, 1) if self.frequency is Frequency.MONTH else (1,)
        whole = self.format == "excel" or "%V" in (self.format or "")
        if self.format and not whole and not (given[:2] == [1, 1] and given[2] in days):
            problem = f"is `{self.format}`; allowed: {ALLOWED_DATE_FORMAT}"
            refuse([Fault(at=("format",), problem=problem)])
        return self

    def _order_faults(self) -> Iterator[Fault]:
        for first, last in (("start", "end"), ("window_start", "window_end")):
            begin, end = getattr(self, first), getattr(self, last)
            if begin and end and end <= begin:
                yield Fault(at=(last,), problem=f"is {end}; allowed: after `{first}` ({begin})")
        for name in ("window_start", "window_end"):
            day = getattr(self, name)
            if day and self.start and day < self.start:
                yield Fault(at=(name,), problem=f"is {day}; allowed: from `start` ({self.start})")
            if day and self.end and day > self.end:
                yield Fault(at=(name,), problem=f"is {day}; allowed: up to `end` ({self.end})")

    def first_day(self, day: date) -> date:
        """Return the first day of the period that a day belongs to."""
        if self.frequency is Frequency.MONTH:
            return day.replace(day=1)
        if self.frequency is Frequency.WEEK:
            begins = list(Weekday).index(self.week_start)
            back = (day.weekday() - begins) % 7
            return date.fromordinal(max(day.toordinal() - back, 1))
        return day

    def earliest_modelled(self) -> date | None:
        """Return the first day that the model can have, as far as the config determines it."""
        known = self.window_start or self.start
        return self.first_day(known) if known else None

    def latest_modelled(self) -> date | None:
        """Return the last day that the model can have, as far as the config determines it.

        Without `window_end` that is the first day of the last period.
        """
        if self.window_end:
            return self.window_end
        return self.first_day(self.end) if self.end else None
