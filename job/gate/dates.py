"""Checks of the time axis."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

from contract.config import Fill, Frequency, Weekday
from job.gate.data import Data
from job.gate.verdict import Finding, Outcome, count, days, have, passed
from job.sources.periods import missing_periods

_FEW = 3  # rows that can be typing errors
_LENGTH = {Frequency.DAY: 1, Frequency.WEEK: 7, Frequency.MONTH: 31}


def unreadable_dates(data: Data) -> Iterator[Finding]:
    """Every row has a date that can be read: others would be lost."""
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
    """Every period has rows; in a table with rows of every day, every day."""
    seen = data.evidence
    there = sorted({*data.known, *(day for day in seen.dropped if day <= data.today)})
    missing = missing_periods(there, data.config.date.frequency)
    if len(missing) > seen.unreadable_dates and not _misread(data):  # else those are the missing
        total = len(missing) + len(there)
        yield Finding(
            name="gaps",
            outcome=Outcome.BLOCK,
            figure=len(missing),
            threshold=0,
            columns=(data.config.date.column,),
            dates=tuple(missing),
            sentence=f"{len(missing)} of {count(total, data.period)} {have(len(missing))} no row "
            f"({days(missing)}); {_remedy(data, there, missing)}",
        )
    if seen.thin and seen.missing_days > seen.unreadable_dates:
        zero = data.config.date.fill is Fill.ZERO
        yield Finding(
            name="gaps",
            outcome=Outcome.WARN if zero else Outcome.BLOCK,
            figure=seen.missing_days,
            threshold=0,
            columns=(data.config.date.column,),
            dates=seen.thin,
            sentence=f"{count(seen.missing_days, 'day')} {have(seen.missing_days)} no row, so that "
            f"{count(len(seen.thin), data.period)} {have(len(seen.thin), 'is', 'are')} too small "
            f"({days(seen.thin)}); load them, "
            "or set `date.fill: zero` if nothing happened then",
        )
    if seen.filled:
        yield Finding(
            name="gaps",
            outcome=Outcome.WARN,
            figure=len(seen.filled),
            threshold=0,
            columns=(data.config.date.column,),
            dates=seen.filled,
            sentence=f"{count(len(seen.filled), data.period)} had no row and were filled with "
            f"zeros ({days(seen.filled)})",
        )


def _misread(data: Data) -> bool:
    """Day and month the other way round in a part: some cannot be read, others go elsewhere."""
    return bool(data.evidence.unreadable_dates and data.evidence.crowded)


def _remedy(data: Data, there: list[date], missing: list[date]) -> str:
    lengths = [later - earlier for earlier, later in pairwise(there)]
    widest = max(lengths)
    if lengths.index(widest) < _FEW and widest > max(
        timedelta(days=365), (there[-1] - there[0]) / 2
    ):
        return f"is {there[0]} a typing error?"
    if len(missing) > len(there):
        return f"rows seem to be rarer than one a {data.period}: check `date.frequency`"
    return "load them, or set `date.fill: zero` if nothing happened then"


def duplicate_dates(data: Data) -> Iterator[Finding]:
    """No row is there twice; several rows of a day are there on most days or on none."""
    seen = data.evidence
    column = data.config.date.column
    share = seen.repeated_days / max(seen.days, 1)
    usual = share >= data.gate.usual_repeats
    # rows of several campaigns may all be zero on a day that is closed; then most others differ
    twice = (
        seen.identical_days if not usual or seen.identical_days > 0.9 * seen.repeated_days else 0
    )
    if twice:
        yield Finding(
            name="duplicate_dates",
            outcome=Outcome.BLOCK,
            figure=twice,
            threshold=0,
            columns=(column,),
            dates=seen.repeated_in,
            sentence=f"the same row comes more than once on {count(twice, 'day')} "
            f"and would be counted twice (in {days(seen.repeated_in)}); remove the doubles",
        )
    several = seen.repeated_days - twice
    if several and not usual:
        yield Finding(
            name="duplicate_dates",
            outcome=Outcome.WARN,
            figure=several,
            threshold=0,
            columns=(column,),
            dates=seen.repeated_in,
            sentence=f"{several} of {count(seen.days, 'day')} {have(several)} several rows that "
            f"differ (in {days(seen.repeated_in)}); they were joined by each column's "
            "`aggregation`",
        )
    if seen.crowded and not _misread(data):
        yield Finding(
            name="duplicate_dates",
            outcome=Outcome.WARN,
            figure=len(seen.crowded),
            threshold=0,
            columns=(column,),
            dates=seen.crowded,
            sentence=f"{count(len(seen.crowded), data.period)} {have(len(seen.crowded))} rows of "
            f"several days where one is usual ({days(seen.crowded)}); they were joined by each "
            "column's `aggregation`; did the day change on which rows are dated?",
        )


def freshness(data: Data) -> Iterator[Finding]:
    """The newest row is as new as it is expected to be."""
    last = _newest(data)
    length = _LENGTH[data.config.date.frequency]
    end, max_age = data.config.date.end, data.gate.max_age_days
    if end is not None and end < data.today:
        late, threshold = (end - last).days, length - 1
        expected = f"`date.end` is {end}"
    elif max_age is not None:
        late, threshold = (data.today - last).days, max_age
        expected = f"it must not be older than {count(max_age, 'day')} on {data.today}"
    else:
        yield passed(
            "freshness", f"not checked: `gate.max_age_days` is not set; the newest row is of {last}"
        )
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
            f"{count(late, 'day')} {have(late, 'is', 'are')} missing; is the load late?",
        )
    else:
        yield passed(
            "freshness", f"the newest row is of {last}", figure=max(late, 0), threshold=threshold
        )


def _newest(data: Data) -> date:
    """Day of the newest row that does not lie in the future."""
    last = data.evidence.source_last_day or data.dates[-1]
    if last <= data.today + timedelta(days=1) or not data.known:
        return last
    whole = data.known[-1]
    weekday = data.evidence.weekday_of_rows
    if weekday is not None:
        return whole + timedelta(days=(weekday - whole.weekday()) % 7)
    return min(whole + timedelta(days=_LENGTH[data.config.date.frequency] - 1), data.today)


def future_dates(data: Data) -> Iterator[Finding]:
    """No row lies after today: those are plans or typing errors."""
    tomorrow = data.today + timedelta(days=1)
    ahead = [day for day in (*data.dates, *data.evidence.dropped) if day > tomorrow]
    if ahead:
        yield Finding(
            name="future_dates",
            outcome=Outcome.BLOCK,
            figure=len(ahead),
            threshold=0,
            columns=(data.config.date.column,),
            dates=tuple(ahead),
            sentence=f"{count(len(ahead), data.period)} {have(len(ahead), 'lies', 'lie')} after "
            f"today, {data.today} ({days(ahead)}); correct the dates or set `date.end`",
        )


def window(data: Data) -> Iterator[Finding]:
    """The data covers the dates that were asked for."""
    when = data.config.date
    start = when.start
    length = _LENGTH[when.frequency]
    late = (data.dates[0] - start).days if start else 0
    if start and late >= 2 * length:
        yield Finding(
            name="window",
            outcome=Outcome.WARN,
            figure=late,
            threshold=2 * length - 1,
            columns=(when.column,),
            dates=(data.dates[0],),
            sentence=f"the data begins on {data.dates[0]}, {count(late, 'day')} after "
            f"`date.start` ({start})",
        )
    if not data.inside.any():
        yield Finding(
            name="window",
            outcome=Outcome.BLOCK,
            figure=0,
            threshold=data.gate.min_rows,
            columns=(when.column,),
            dates=tuple(day for day in (when.window_start, when.window_end) if day),
            sentence=f"no {data.period} lies in the modelling window (`date.window_start`, "
            f"`date.window_end`); the data runs from {data.dates[0]} to {data.dates[-1]}",
        )


def week_start(data: Data) -> Iterator[Finding]:
    """Weekly rows are dated on the day on which weeks begin."""
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
        sentence=f"rows are dated on {found.title()}s, but weeks begin on "
        f"{data.config.date.week_start.value.title()}; if a row's date is its week's first day, "
        f"set `date.week_start: {found}`",
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
