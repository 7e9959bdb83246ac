"""Checks of the date column: readable, complete, unique and recent dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

from contract.config import Fill, Frequency, Weekday
from job.gate.data import Data
from job.gate.verdict import Finding, Outcome, passed
from job.gate.wording import date_list, quantity, verb
from job.sources.date_texts import date_remedy
from job.sources.periods import missing_periods
from job.sources.time_zones import moves_days

_MAX_STRAY_ROWS = 3  # rows before a gap of years that are probably typing errors
_PERIOD_DAYS = {Frequency.DAY: 1, Frequency.WEEK: 7, Frequency.MONTH: 31}
_IF_INACTIVE = "load them, or set `date.fill: zero` if nothing happened then"


def unreadable_dates(data: Data) -> Iterator[Finding]:
    """Every row has a readable date."""
    rows, column = data.evidence.unreadable_dates, data.config.date.column
    if rows:
        written, shown = data.config.date.format, data.evidence.examples_of(column)
        texts = [example.text for example in data.evidence.faulty(column)]
        turned = data.evidence.turned
        remedy = date_remedy(texts, written, turned=str(turned) if turned else None)
        yield Finding(
            name="unreadable_dates",
            outcome=Outcome.BLOCK,
            figure=rows,
            threshold=0,
            columns=(data.config.date.column,),
            sentence=f"`{column}` has an unreadable date in {quantity(rows, 'row')}"
            + (f": {shown}" if shown else "")
            + f"; expected: {written or 'YYYY-MM-DD'}. {remedy[0].upper()}{remedy[1:]}",
        )


def gaps(data: Data) -> Iterator[Finding]:
    """Every period has rows; in a daily table, every day has rows."""
    evidence = data.evidence
    present = sorted({*data.past_dates, *(day for day in evidence.dropped if day <= data.today)})
    missing = missing_periods(present, data.config.date.frequency)
    # a row with an unreadable date explains one missing period
    explained = _mixes_day_and_month(data) or _in_wrong_zone(data)
    if len(missing) > evidence.unreadable_dates and not explained:
        total = len(missing) + len(present)
        yield Finding(
            name="gaps",
            outcome=Outcome.BLOCK,
            figure=len(missing),
            threshold=0,
            columns=(data.config.date.column,),
            dates=tuple(missing),
            sentence=f"{len(missing):,} of {quantity(total, data.period)} {verb(len(missing))} no "
            f"row ({date_list(missing)}); {_remedy(data, present, missing)}",
        )
    partial, missing_days = evidence.thin, evidence.missing_days
    if partial and missing_days > evidence.unreadable_dates:
        zero = data.config.date.fill is Fill.ZERO
        yield Finding(
            name="gaps",
            outcome=Outcome.WARN if zero else Outcome.BLOCK,
            figure=missing_days,
            threshold=0,
            columns=(data.config.date.column,),
            dates=partial,
            sentence=f"{quantity(missing_days, 'day')} {verb(missing_days)} no row, so the sums of "
            f"{quantity(len(partial), data.period)} are too small ({date_list(partial)}); "
            f"{_IF_INACTIVE}",
        )
    if evidence.filled:
        filled = len(evidence.filled)
        yield Finding(
            name="gaps",
            outcome=Outcome.WARN,
            figure=filled,
            threshold=0,
            columns=(data.config.date.column,),
            dates=evidence.filled,
            sentence=f"{quantity(filled, data.period)} had no row; extraction filled "
            f"{verb(filled, 'it', 'them')} with zeros ({date_list(evidence.filled)})",
        )


def _mixes_day_and_month(data: Data) -> bool:
    """Return whether some dates seem to have day and month swapped.

    Some of them are unreadable then, and the others crowd into wrong periods.
    """
    evidence = data.evidence
    return bool(evidence.unreadable_dates and (evidence.crowded or evidence.turned))


def _remedy(data: Data, present: list[date], missing: list[date]) -> str:
    lengths = [later - earlier for earlier, later in pairwise(present)]
    widest = max(lengths)
    if lengths.index(widest) < _MAX_STRAY_ROWS and widest > max(
        timedelta(days=365), (present[-1] - present[0]) / 2
    ):
        return f"check whether {present[0]} is a typing error"
    if len(missing) > len(present):
        return f"most {data.period}s have no row: check `date.frequency`"
    return _IF_INACTIVE


def duplicate_dates(data: Data) -> Iterator[Finding]:
    """No row is duplicated, and no day has more rows than is usual."""
    evidence = data.evidence
    column = data.config.date.column
    repeated, identical = evidence.repeated_days, evidence.identical_days
    several_are_usual = repeated / max(evidence.days, 1) >= data.gate.usual_repeats
    # On a day when every campaign is zero, all campaigns' rows are identical. Such days are not
    # duplicates while most other days have rows that differ.
    duplicated = identical if not several_are_usual or identical > 0.9 * repeated else 0
    if duplicated:
        yield Finding(
            name="duplicate_dates",
            outcome=Outcome.BLOCK,
            figure=duplicated,
            threshold=0,
            columns=(column,),
            dates=evidence.repeated_in,
            sentence=f"identical rows occur on {quantity(duplicated, 'day')} and would be counted "
            f"twice (in {date_list(evidence.repeated_in)}); remove the duplicates",
        )
    differing = repeated - duplicated
    if differing and not several_are_usual:
        yield Finding(
            name="duplicate_dates",
            outcome=Outcome.WARN,
            figure=differing,
            threshold=0,
            columns=(column,),
            dates=evidence.repeated_in,
            sentence=f"{differing:,} of {quantity(evidence.days, 'day')} {verb(differing)} several "
            f"rows with different values (in {date_list(evidence.repeated_in)}); each column's "
            "`aggregation` combined them",
        )
    if evidence.crowded and not (_mixes_day_and_month(data) or _in_wrong_zone(data)):
        crowded = len(evidence.crowded)
        yield Finding(
            name="duplicate_dates",
            outcome=Outcome.WARN,
            figure=crowded,
            threshold=0,
            columns=(column,),
            dates=evidence.crowded,
            sentence=f"{quantity(crowded, data.period)} {verb(crowded)} rows of several days, but "
            f"one day per {data.period} is usual ({date_list(evidence.crowded)}); each column's "
            "`aggregation` combined them. Check whether rows changed their weekday",
        )


def freshness(data: Data) -> Iterator[Finding]:
    """The newest row is recent enough."""
    newest = _newest_row(data)
    length = _PERIOD_DAYS[data.config.date.frequency]
    end, max_age = data.config.date.end, data.gate.max_age_days
    if end is not None and end < data.today:
        missing_days, threshold = (end - newest).days, length - 1
        expected = f"`date.end` is {end}"
        problem = f"{quantity(missing_days, 'day')} {verb(missing_days, 'is', 'are')} missing"
    elif max_age is not None:
        missing_days, threshold = (data.today - newest).days, max_age
        expected = f"it must be at most {quantity(max_age, 'day')} old (`gate.max_age_days`)"
        problem = f"on {data.today} it is {quantity(missing_days, 'day')} old"
    else:
        sentence = f"not checked: `gate.max_age_days` is not set; the newest row is from {newest}"
        yield passed("freshness", sentence)
        return
    if missing_days > threshold:
        yield Finding(
            name="freshness",
            outcome=Outcome.BLOCK,
            figure=missing_days,
            threshold=threshold,
            columns=(data.config.date.column,),
            dates=(newest,),
            sentence=f"the newest row is from {newest}, but {expected}: {problem}. Check whether "
            "the load is late",
        )
    else:
        sentence = f"the newest row is from {newest}"
        yield passed("freshness", sentence, figure=max(missing_days, 0), threshold=threshold)


def _newest_row(data: Data) -> date:
    """Return the day of the newest row that is not in the future."""
    last = data.evidence.source_last_day or data.dates[-1]
    if last <= data.today + timedelta(days=1) or not data.past_dates:
        return last
    period = data.past_dates[-1]
    weekday = data.evidence.weekday_of_rows
    if weekday is not None:
        return period + timedelta(days=(weekday - period.weekday()) % 7)
    return min(period + timedelta(days=_PERIOD_DAYS[data.config.date.frequency] - 1), data.today)


def future_dates(data: Data) -> Iterator[Finding]:
    """No row is dated in the future."""
    tomorrow = data.today + timedelta(days=1)
    future = [day for day in (*data.dates, *data.evidence.dropped) if day > tomorrow]
    if future:
        yield Finding(
            name="future_dates",
            outcome=Outcome.BLOCK,
            figure=len(future),
            threshold=0,
            columns=(data.config.date.column,),
            dates=tuple(future),
            sentence=f"{quantity(len(future), data.period)} {verb(len(future), 'is', 'are')} after "
            f"today, {data.today} ({date_list(future)}); correct the dates or set `date.end`",
        )


def window(data: Data) -> Iterator[Finding]:
    """The data covers the configured dates."""
    when = data.config.date
    start = when.start
    length = _PERIOD_DAYS[when.frequency]
    late = (data.dates[0] - start).days if start else 0
    if start and late >= 2 * length:
        yield Finding(
            name="window",
            outcome=Outcome.WARN,
            figure=late,
            threshold=2 * length - 1,
            columns=(when.column,),
            dates=(data.dates[0],),
            sentence=f"the data starts on {data.dates[0]}, {quantity(late, 'day')} after "
            f"`date.start` ({start}); load the earlier rows, or set `date.start: {data.dates[0]}`",
        )
    if not data.in_window.any():
        yield Finding(
            name="window",
            outcome=Outcome.BLOCK,
            figure=0,
            threshold=data.gate.min_rows,
            columns=(when.column,),
            dates=tuple(day for day in (when.window_start, when.window_end) if day),
            sentence=f"no {data.period} is in the modelling window (`date.window_start`, "
            f"`date.window_end`); the data covers {data.dates[0]} to {data.dates[-1]}. Set a "
            "window within it",
        )


def week_start(data: Data) -> Iterator[Finding]:
    """Weekly rows are dated on the first day of the week."""
    weekday = data.evidence.weekday_of_rows
    wanted = list(Weekday).index(data.config.date.week_start)
    if data.config.date.frequency is not Frequency.WEEK or weekday in (None, wanted):
        return
    if _in_wrong_zone(data):
        return  # `time_zone` reports it
    found = list(Weekday)[weekday or 0].value
    yield Finding(
        name="week_start",
        outcome=Outcome.WARN,
        figure=weekday,
        threshold=wanted,
        columns=(data.config.date.column,),
        sentence=f"rows are dated on {found.title()}s, but weeks start on "
        f"{data.config.date.week_start.value.title()}; if rows are dated on the first day of "
        f"their week, set `date.week_start: {found}`",
    )


def _in_wrong_zone(data: Data) -> bool:
    """Return whether all moments are midnight in zones where they belong to another day."""
    zones, used = data.evidence.midnight_in, data.config.date.timezone
    return bool(zones) and used not in zones and moves_days(used, zones[0], data.dates)


def time_zone(data: Data) -> Iterator[Finding]:
    """Moments that are midnight in a time zone belong to the days of that zone."""
    zones, used = data.evidence.midnight_in, data.config.date.timezone
    clocks = data.evidence.clocks
    # at 05:00 UTC it is the same day in New York, but only summer time explains two such times
    if not zones or used in zones or not (_in_wrong_zone(data) or len(clocks) > 1):
        return
    remedy = (
        "remove `date.timezone`"
        if zones[0] == "UTC"
        else f"set `date.timezone: {zones[0]}`"
        + (f" (or {' or '.join(zones[1:3])})" if zones[1:] else "")
    )
    yield Finding(
        name="time_zone",
        outcome=Outcome.WARN,
        figure=len(clocks),
        threshold=0,
        columns=(data.config.date.column,),
        sentence=f"the times of `{data.config.date.column}` are {' and '.join(clocks)} UTC, which "
        f"is midnight in {zones[0]}, but `date.timezone` is {used}, so rows may belong to the "
        f"wrong day; {remedy}",
    )


CHECKS = (
    unreadable_dates,
    gaps,
    duplicate_dates,
    freshness,
    future_dates,
    window,
    week_start,
    time_zone,
)
