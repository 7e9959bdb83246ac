"""Checks of the time axis."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from contract.config import Frequency, Weekday
from job.gate.data import Data
from job.gate.verdict import Finding, Outcome, count, days
from job.sources.periods import missing_periods

_LENGTH = {Frequency.DAY: 1, Frequency.WEEK: 7, Frequency.MONTH: 31}


def unreadable_dates(data: Data) -> Iterator[Finding]:
    """Rows whose date is missing or cannot be read: they would be lost."""
    rows = data.evidence.unreadable_dates
    if rows:
        yield Finding(
            name="unreadable_dates",
            outcome=Outcome.BLOCK,
            figure=rows,
            threshold=0,
            columns=(data.config.date.column,),
            sentence=f"`{data.config.date.column}` holds no date in {count(rows, 'row')} that can "
            f"be read as {data.config.date.format or 'YYYY-MM-DD'}; correct them or set "
            "`date.format`",
        )


def gaps(data: Data) -> Iterator[Finding]:
    """Periods without any row."""
    missing = missing_periods(data.dates, data.config.date.frequency)
    total = len(missing) + len(data.dates)
    if missing:
        hint = "load them, or set `date.fill: zero` if nothing happened then"
        if len(missing) > len(data.dates):
            hint = f"rows seem to be rarer than one a {data.period}: check `date.frequency`"
        yield Finding(
            name="gaps",
            outcome=Outcome.BLOCK,
            figure=len(missing),
            threshold=0,
            columns=(data.config.date.column,),
            dates=tuple(missing),
            sentence=f"{len(missing)} of {count(total, data.period)} have no row "
            f"({days(missing)}); {hint}",
        )
    filled = data.evidence.filled
    if filled:
        yield Finding(
            name="gaps",
            outcome=Outcome.WARN,
            figure=len(filled),
            threshold=0,
            columns=(data.config.date.column,),
            dates=filled,
            sentence=f"{count(len(filled), data.period)} had no row and were filled with zeros "
            f"({days(filled)})",
        )


def duplicate_dates(data: Data) -> Iterator[Finding]:
    """Several rows of one day: normal in a table of campaigns, else rows loaded twice."""
    seen = data.evidence
    column = data.config.date.column
    share = seen.repeated_days / max(seen.days, 1)
    if seen.identical_days and seen.identical_days < data.gate.usual_repeats * seen.days:
        yield Finding(
            name="duplicate_dates",
            outcome=Outcome.BLOCK,
            figure=seen.identical_days,
            threshold=0,
            columns=(column,),
            dates=seen.repeated_in,
            sentence=f"the same row comes more than once on {count(seen.identical_days, 'day')} "
            f"and would be counted twice (in {days(seen.repeated_in)}); remove the doubles",
        )
    elif seen.repeated_days and share < data.gate.usual_repeats:
        yield Finding(
            name="duplicate_dates",
            outcome=Outcome.WARN,
            figure=seen.repeated_days,
            threshold=0,
            columns=(column,),
            dates=seen.repeated_in,
            sentence=f"{seen.repeated_days} of {count(seen.days, 'day')} have several rows (in "
            f"{days(seen.repeated_in)}); they were joined by each column's `aggregation`",
        )


def freshness(data: Data) -> Iterator[Finding]:
    """The last row against the date that is expected."""
    last = data.evidence.source_last_day or data.dates[-1]
    length = _LENGTH[data.config.date.frequency]
    end, max_age = data.config.date.end, data.gate.max_age_days
    if end is not None and end < data.today:
        late, threshold = (end - last).days, length - 1
        expected = f"`date.end` is {end}"
    elif max_age is not None:
        late, threshold = (data.today - last).days, max_age
        expected = f"it must not be older than {count(max_age, 'day')} on {data.today}"
    else:
        return
    if late > threshold:
        yield Finding(
            name="freshness",
            outcome=Outcome.BLOCK,
            figure=late,
            threshold=threshold,
            columns=(data.config.date.column,),
            dates=(last,),
            sentence=f"the newest row is of {last}, but {expected}: "
            f"{count(late, 'day')} are missing; is the load late?",
        )


def future_dates(data: Data) -> Iterator[Finding]:
    """Rows after today: plans or typing errors."""
    # one day of grace: it may be tomorrow already where the data comes from
    ahead = [day for day in data.dates if day > data.today + timedelta(days=1)]
    if ahead:
        yield Finding(
            name="future_dates",
            outcome=Outcome.BLOCK,
            figure=len(ahead),
            threshold=0,
            columns=(data.config.date.column,),
            dates=tuple(ahead),
            sentence=f"{count(len(ahead), data.period)} lie after today, {data.today} "
            f"({days(ahead)}); correct the dates or set `date.end`",
        )


def window(data: Data) -> Iterator[Finding]:
    """Data that begins long after the window that was asked for."""
    start = data.config.date.start
    length = _LENGTH[data.config.date.frequency]
    late = (data.dates[0] - start).days if start else 0
    if start and late >= 2 * length:
        yield Finding(
            name="window",
            outcome=Outcome.WARN,
            figure=late,
            threshold=2 * length - 1,
            columns=(data.config.date.column,),
            dates=(data.dates[0],),
            sentence=f"the data begins on {data.dates[0]}, {count(late, 'day')} after "
            f"`date.start` ({start})",
        )


def week_start(data: Data) -> Iterator[Finding]:
    """Weekly rows that are dated on another day than weeks begin."""
    weekday = data.evidence.weekday_of_rows
    wanted = list(Weekday).index(data.config.date.week_start)
    if data.config.date.frequency is not Frequency.WEEK or weekday in (None, wanted):
        return
    found = list(Weekday)[weekday or 0].value
    yield Finding(
        name="week_start",
        outcome=Outcome.WARN,
        figure=weekday,
        threshold=wanted,
        columns=(data.config.date.column,),
        sentence=f"rows are dated on {found}s, but weeks begin on "
        f"{data.config.date.week_start.value}; if a row's date is its week's first day, set "
        f"`date.week_start: {found}`",
    )


CHECKS = (
    unreadable_dates,
    gaps,
    duplicate_dates,
    freshness,
    future_dates,
    window,
    week_start,
)
