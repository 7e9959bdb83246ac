"""Read the days of the date column, and find the time zone that its moments are midnight in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from job.sources.date_texts import parse_clock, parse_day
from job.sources.time_zones import clock_text, midnight_zones


@dataclass(frozen=True, kw_only=True)
class Days:
    """The days of the rows, and the zone that they belong to.

    Attributes:
        days: the day of each row that has one.
        zones: the zones in which all moments are midnight, the likeliest first; empty if the rows
            have no times, or midnight in UTC.
        clocks: the usual times in UTC, if there are zones.
    """

    days: list[date]
    zones: tuple[str, ...] = ()
    clocks: tuple[str, ...] = ()


def read_days(values: pd.Series[Any], date_format: str | None, market: str) -> Days:
    """Return the days of a column of dates, moments or texts."""
    moments = [_moment(value, date_format) for value in values.dropna()]
    days = [moment[0] for moment in moments if moment]
    timed = [moment for moment in moments if moment and moment[1] is not None]
    if len(timed) < len(days) or not days:
        return Days(days=days)
    clocks = [(minutes or 0, minutes or 0) for _, minutes in timed]
    zones = midnight_zones([(day, day) for day, _ in timed], clocks, market=market)
    if not zones or "UTC" in zones:
        return Days(days=days)
    zone = ZoneInfo(zones[0])
    local = [
        (datetime.combine(day, time(), UTC) + timedelta(minutes=minutes or 0)).astimezone(zone)
        for day, minutes in timed
    ]
    usual = pd.Series([first for first, _ in clocks]).value_counts().index[:3]
    return Days(
        days=[moment.date() for moment in local],
        zones=zones,
        clocks=tuple(sorted(clock_text(int(minutes)) for minutes in usual)),
    )


def _moment(value: Any, date_format: str | None) -> tuple[date, int | None] | None:
    """Return (day, minutes after midnight) of a date, moment or text; None if it is none."""
    if isinstance(value, datetime):
        utc = value.astimezone(UTC) if value.tzinfo else value
        return utc.date(), utc.hour * 60 + utc.minute
    if isinstance(value, date):
        return value, None
    day = parse_day(str(value).strip(), date_format or "%Y-%m-%d")
    return (day, parse_clock(str(value))) if day else None
