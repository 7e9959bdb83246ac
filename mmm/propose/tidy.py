"""Long tables: a row per channel and date, where a config wants a column per channel."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from sqlglot import exp

from mmm.propose import words as known
from mmm.propose.rules import Seen
from mmm.propose.words import split

_MOST = 60


def long_table(seen: Sequence[Seen], frame: pd.DataFrame) -> tuple[Seen, list[Seen]] | None:
    """(column of channel names, columns of their spend and exposure); None for wide tables."""
    measures = [c for c in seen if c.numeric and _is_measure(c)]
    spends = [column for column in measures if set(column.words) & known.SPEND]
    days = next((column for column in seen if column.is_date), None)
    names = [
        column
        for column in seen
        if not column.numeric
        and not column.is_date
        and set(column.words) & known.CHANNEL
        and 1 < column.distinct <= _MOST
    ]
    if days is None or not spends or not names:
        return None
    best = min(names, key=lambda c: (c.distinct, len(c.words)))
    several = frame.groupby(frame[days.name].astype(str))[best.name].nunique().median() > 1
    return (best, measures) if several else None


def _is_measure(column: Seen) -> bool:
    """A spend or exposure that names no channel."""
    words = set(column.words)
    measured = words & (known.SPEND | known.EXPOSURE)
    return bool(measured) and words <= (
        known.SPEND | known.EXPOSURE | known.UNITS | known.TOTAL | {"ad", "ads", "media"}
    )


def pivot(
    seen: Sequence[Seen], frame: pd.DataFrame, found: tuple[Seen, list[Seen]], relation: exp.Expr
) -> exp.Select:
    """The query that makes a column per channel and measure; other numbers are summed."""
    names, measures = found
    day = next(column for column in seen if column.is_date)
    query = exp.select(_column(day.name))
    channels = sorted(str(value) for value in frame[names.name].dropna().unique())
    for channel in channels:
        for measure in measures:
            mine = exp.EQ(this=_column(names.name), expression=exp.Literal.string(channel))
            value = exp.Case().when(mine, _column(measure.name)).else_(exp.Literal.number(0))
            title = f"{'_'.join(split(channel)) or 'channel'}_{'_'.join(measure.words)}"
            query = query.select(exp.alias_(exp.Sum(this=value), title, quoted=True))
    taken = {day.name, names.name, *(measure.name for measure in measures)}
    for column in seen:
        if column.name not in taken and column.numeric and not column.numbers_rows:
            total = exp.Sum(this=_column(column.name))
            query = query.select(exp.alias_(total, column.name, quoted=True))
    return query.from_(relation.copy()).group_by(_column(day.name))


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)
