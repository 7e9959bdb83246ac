"""Detect tables in long format, with one row per channel and date, and build a query to pivot them.

A config needs wide format, with one column per channel.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from sqlglot import exp

from mmm.propose import vocabulary
from mmm.propose.rules import ColumnProfile
from mmm.propose.vocabulary import split_words

_MAX_CHANNELS = 60


def find_long_table(
    profiles: Sequence[ColumnProfile], frame: pd.DataFrame
) -> tuple[ColumnProfile, list[ColumnProfile]] | None:
    """Return (column of channel names, spend and exposure columns); None for a wide table."""
    measures = [c for c in profiles if c.numeric and _is_measure(c)]
    spends = [column for column in measures if set(column.words) & vocabulary.SPEND]
    days = next((column for column in profiles if column.is_date), None)
    names = [
        column
        for column in profiles
        if not column.numeric
        and not column.is_date
        and set(column.words) & vocabulary.CHANNEL
        and 1 < column.distinct <= _MAX_CHANNELS
    ]
    if days is None or not spends or not names:
        return None
    best = min(names, key=lambda c: (c.distinct, len(c.words)))
    several = frame.groupby(frame[days.name].astype(str))[best.name].nunique().median() > 1
    return (best, measures) if several else None


def _is_measure(column: ColumnProfile) -> bool:
    """Return whether a column is a spend or exposure and its name contains no channel."""
    words = set(column.words)
    measured = words & (vocabulary.SPEND | vocabulary.EXPOSURE)
    return bool(measured) and words <= (
        vocabulary.SPEND
        | vocabulary.EXPOSURE
        | vocabulary.UNITS
        | vocabulary.TOTAL
        | {"ad", "ads", "media"}
    )


def pivot_query(
    profiles: Sequence[ColumnProfile],
    frame: pd.DataFrame,
    long_table: tuple[ColumnProfile, list[ColumnProfile]],
    relation: exp.Expr,
) -> exp.Select:
    """Return a query with one column per channel and measure; it sums all other numbers."""
    names, measures = long_table
    day = next(column for column in profiles if column.is_date)
    query = exp.select(_column(day.name))
    channels = sorted(str(value) for value in frame[names.name].dropna().unique())
    for channel in channels:
        for measure in measures:
            is_channel = exp.EQ(this=_column(names.name), expression=exp.Literal.string(channel))
            value = exp.Case().when(is_channel, _column(measure.name)).else_(exp.Literal.number(0))
            title = f"{'_'.join(split_words(channel)) or 'channel'}_{'_'.join(measure.words)}"
            query = query.select(exp.alias_(exp.Sum(this=value), title, quoted=True))
    taken = {day.name, names.name, *(measure.name for measure in measures)}
    for column in profiles:
        if column.name not in taken and column.numeric and not column.is_row_number:
            total = exp.Sum(this=_column(column.name))
            query = query.select(exp.alias_(total, column.name, quoted=True))
    return query.from_(relation.copy()).group_by(_column(day.name))


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)
