"""A reference extraction in plain pandas, row by row and without SQL."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from contract.config import Config, Frequency, Weekday

Row = dict[str, Any]


def day_of(value: Any, config: Config) -> date | None:
    """Return the calendar day of a date, timestamp or text."""
    if isinstance(value, datetime):
        zone = ZoneInfo(config.date.timezone)
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(zone).date()
    if isinstance(value, date) or value is None:
        return value
    text = value.strip()
    try:
        if config.date.format:
            return datetime.strptime(text, config.date.format).date()
        if len(text) > 10:
            return day_of(datetime.fromisoformat(text), config)
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def period_of(day: date, config: Config) -> date:
    """Return the first day of the period that contains `day`."""
    if config.date.frequency is Frequency.MONTH:
        return day.replace(day=1)
    if config.date.frequency is Frequency.WEEK:
        first = list(Weekday).index(config.date.week_start)
        return day - timedelta(days=(day.weekday() - first) % 7)
    return day


def join(values: list[tuple[Any, Any]], how: str) -> Any:
    """Combine (timestamp, value) pairs into one value; None if there is no value."""
    there = [(moment, value) for moment, value in values if value is not None]
    if not there:
        return None
    plain = [value for _, value in there]
    if how in ("first", "last"):
        moments = [moment for moment, _ in there]
        edge = min(moments) if how == "first" else max(moments)
        ties = [value for moment, value in there if moment == edge]
        return min(ties) if how == "first" else max(ties)
    return {
        "sum": sum,
        "mean": lambda numbers: sum(numbers) / len(numbers),
        "min": min,
        "max": max,
    }[how](plain)


def extracted(rows: list[Row], config: Config, how: dict[str, str]) -> pd.DataFrame:
    """Return one row per period, in order, with the columns of `how`."""
    days: dict[date, list[Row]] = {}
    for row in rows:
        if config.source.country_column and row["country"] != config.country():
            continue
        day = day_of(row["day"], config)
        if day is None:
            continue
        if config.date.start and day < config.date.start:
            continue
        if config.date.end and day > config.date.end:
            continue
        days.setdefault(day, []).append(row)
    periods: dict[date, list[date]] = {}
    for day in sorted(days):
        periods.setdefault(period_of(day, config), []).append(day)
    made = []
    for period in sorted(periods):
        line: Row = {"period": period}
        for column, rule in how.items():
            joined = []
            for day in periods[period]:
                pairs = [
                    (row["day"] if isinstance(row["day"], datetime) else day, clean(row[column]))
                    for row in days[day]
                ]
                joined.append((day, join(pairs, rule)))
            line[column] = join(joined, rule)
        made.append(line)
    return pd.DataFrame(made, columns=["period", *how])


def clean(value: Any) -> Any:
    """Blank texts are missing; texts that are numbers are numbers."""
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        try:
            return float(text)
        except ValueError:
            return value
    return value
