"""Detect tables in long format, with several rows per date, and build a query to pivot them.

A config needs wide format, with one column per channel. The shape decides, not the names: several
rows per date, and a text column with few values of which each occurs once (or evenly) per date.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd
from sqlglot import exp

from contract.numbers import NumberFormat
from job.sources.schema import Kind
from job.sources.sql import parse_number
from mmm.propose import vocabulary
from mmm.propose.rules import ColumnProfile
from mmm.propose.vocabulary import split_words

_MAX_CHANNELS = 60
_MAX_GROUPS = 500  # values of a column such as a store
_SOME = 0.2  # share of dates with several rows, in a table without rows of zeros
_MOST = 0.8  # share of dates from which a pattern is the rule
_SAME = 0.9  # share of dates with one value in all rows from which a figure is repeated
_PLACE = vocabulary.COUNTRY | vocabulary.REGION


@dataclass(frozen=True, kw_only=True)
class LongTable:
    """A long table: its names, the figures of each name, and what is repeated for every name.

    Attributes:
        date: the date column.
        names: the column of channels or of metrics.
        measures: figures that belong to one row, e.g. a spend.
        repeated: figures with the same value in all rows of a date, e.g. a target.
        summed: other figures.
        groups: columns such as regions; `repeated_in_groups` repeats for every name within each.
        repeated_in_groups: figures with the same value in all rows of a date and group.
        countries: columns of countries, which the query keeps.
        national: measures with the same value in all groups of a date and name.
    """

    date: ColumnProfile
    names: ColumnProfile
    measures: tuple[ColumnProfile, ...]
    repeated: tuple[ColumnProfile, ...]
    summed: tuple[ColumnProfile, ...]
    groups: tuple[ColumnProfile, ...] = ()
    repeated_in_groups: tuple[ColumnProfile, ...] = ()
    national: tuple[ColumnProfile, ...] = ()
    countries: tuple[ColumnProfile, ...] = ()


def find_long_table(
    profiles: Sequence[ColumnProfile], frame: pd.DataFrame, date: str | None = None
) -> LongTable | None:
    """Return the table's structure; None for a wide table."""
    days = next((c for c in profiles if (c.name == date if date else c.is_date)), None)
    ids = [c for c in profiles if _is_channel_id(c)]
    numbers = [
        c
        for c in profiles
        if c.numeric and not c.is_date and not c.is_row_number and c != days and c not in ids
    ]
    if days is None or not numbers:
        return None
    by_day = frame[days.name].astype(str)
    several = float((by_day.value_counts() > 1).mean())
    if several < _SOME:
        return None
    repeated = [c for c in numbers if _is_repeated(frame[c.name], by_day)]
    if not any(_is_measure(c) for c in numbers if c not in repeated):
        repeated = [c for c in repeated if not _is_measure(c)]
    free = [c for c in numbers if c not in repeated]
    names = [
        column
        for column in profiles
        if (not column.numeric or column in ids)
        and not column.is_date
        and column != days
        and 1 < column.distinct <= _MAX_CHANNELS
        and not set(column.words) & _PLACE
        and (
            _partitions(frame[column.name], by_day)
            if several >= _MOST
            else _is_key(column, frame[column.name], by_day)
        )
    ]
    texts = [
        c
        for c in profiles
        if not c.numeric and not c.is_date and c != days and 1 < c.distinct <= _MAX_GROUPS
    ]
    texts.sort(key=lambda c: bool(set(c.words) & vocabulary.CHANNEL))
    groups, in_groups = _groups(texts, free, frame, by_day)
    names = [column for column in names if column not in groups] or names
    named = [c for c in names if set(c.words) & vocabulary.CHANNEL]
    is_pairs = [c for c in names if len(numbers) == 1 and _holds_metrics(frame[c.name])]
    media = [c for c in names if repeated or in_groups or _holds_media(frame[c.name])]
    candidates = named or is_pairs or media
    measures = [c for c in free if _is_measure(c)]
    if not candidates or not (measures or is_pairs or ((repeated or in_groups) and free)):
        return None
    best = min(candidates, key=lambda c: (c.distinct, len(c.words)))
    in_groups = [c for c in in_groups if best not in groups]
    if best in is_pairs and not measures:
        return LongTable(date=days, names=best, measures=tuple(numbers), repeated=(), summed=())
    free = [c for c in free if c not in in_groups]
    measures = [c for c in measures if c in free]
    measures = measures or [c for c in free if not set(c.words) & set(vocabulary.TARGET)]
    if not measures:
        return None
    by_name = by_day + "|" + frame[best.name].astype(str)
    national = [c for c in measures if _is_repeated(frame[c.name], by_name)]
    if national and not groups:
        groups = [c for c in texts if c != best][:1]
    return LongTable(
        date=days,
        names=best,
        measures=tuple(measures),
        repeated=tuple(repeated),
        summed=tuple(c for c in free if c not in measures),
        groups=tuple(groups) if in_groups or national else (),
        repeated_in_groups=tuple(in_groups),
        national=tuple(national),
        countries=tuple(c for c in texts if c != best and set(c.words) & vocabulary.COUNTRY),
    )


def _groups(
    texts: Sequence[ColumnProfile],
    numbers: Sequence[ColumnProfile],
    frame: pd.DataFrame,
    by_day: pd.Series[Any],
) -> tuple[list[ColumnProfile], list[ColumnProfile]]:
    """Return the fewest columns within whose groups figures repeat, and these figures."""
    for size in (1, 2, 3):
        for columns in combinations(texts, size):
            keys = by_day
            for column in columns:
                keys = keys + "|" + frame[column.name].astype(str)
            if (keys.value_counts() > 1).mean() < _MOST:
                continue
            found = [c for c in numbers if _is_repeated(frame[c.name], keys)]
            if found and len(found) < len(numbers):
                return list(columns), found
    return [], []


def _is_repeated(values: pd.Series[Any], by_day: pd.Series[Any]) -> bool:
    """Return whether all rows of a date have one value, which changes from date to date."""
    rows = pd.to_numeric(values, errors="coerce").groupby(by_day).agg(["min", "max", "count"])
    rows = rows[rows["count"] > 1]
    return (
        len(rows) > 3
        and bool((rows["min"] == rows["max"]).mean() >= _SAME)
        and rows["min"].nunique() > 1
    )


def _partitions(names: pd.Series[Any], by_day: pd.Series[Any]) -> bool:
    """Return whether most dates have several names, and each date about the same ones."""
    counts = names.groupby(by_day).nunique()
    return bool(counts.median() > 1 and (counts >= max(2, counts.median() / 2)).mean() >= _MOST)


def _is_key(column: ColumnProfile, names: pd.Series[Any], by_day: pd.Series[Any]) -> bool:
    """Return whether names of media occur once per date, in a table without rows of zeros."""
    is_unique = not (by_day + "|" + names.astype(str)).duplicated().any()
    return is_unique and (bool(set(column.words) & vocabulary.CHANNEL) or _holds_media(names))


def _is_channel_id(column: ColumnProfile) -> bool:
    """Return whether a column of numbers has the ids of channels."""
    named = set(column.words) & vocabulary.CHANNEL and column.words[-1] in ("id", "nr", "no", "key")
    return bool(named) and column.numeric and 1 < column.distinct <= _MAX_CHANNELS


def _holds_metrics(names: pd.Series[Any]) -> bool:
    """Return whether the texts name figures, such as `revenue` and `tv_spend`."""
    known = vocabulary.SPEND | vocabulary.EXPOSURE | set(vocabulary.TARGET)
    texts = [str(text) for text in names.dropna().unique()]
    return sum(bool(set(split_words(text)) & known) for text in texts) >= max(2, len(texts) / 2)


def _holds_media(names: pd.Series[Any]) -> bool:
    """Return whether most of the texts name media, such as `media_tv` and `facebook`."""
    texts = [str(text) for text in names.dropna().unique()]
    known = vocabulary.MEDIA | vocabulary.ORGANIC
    return sum(bool(set(split_words(text)) & known) for text in texts) >= len(texts) / 2


def _is_measure(column: ColumnProfile) -> bool:
    """Return whether a column is a spend or exposure and its name contains no channel."""
    words = set(column.words)
    measured = words & (vocabulary.SPEND | vocabulary.EXPOSURE)
    return bool(measured) and not words & (vocabulary.MEDIA | vocabulary.RATES)


def pivot_query(frame: pd.DataFrame, long_table: LongTable, relation: exp.Expr) -> exp.Select:
    """Return a query with one column per channel and measure.

    It takes MAX of what is repeated in all rows of a date, and SUM of all other figures. A figure
    that is repeated within groups such as regions is the sum over groups of its MAX in each. The
    query keeps a column of countries.
    """
    names, measures = long_table.names, long_table.measures
    is_pairs = _holds_metrics(frame[names.name]) and len(measures) == 1
    written = "{:.0f}".format if names.numeric else str
    channels = sorted({written(value) for value in frame[names.name].dropna().unique()})
    inner: dict[str, exp.Expr] = {}
    over_groups: dict[str, type[exp.Max | exp.Sum]] = {}
    for channel in channels:
        for measure in measures:
            is_channel = _column(names.name).eq(channel)
            if names.numeric:
                is_channel = _number(names).eq(int(channel))
            value = exp.Case().when(is_channel, _number(measure)).else_(exp.Literal.number(0))
            title = "_".join(split_words(channel)) or "channel"
            if names.numeric:
                title = f"{names.words[0]}_{title}"
            if not is_pairs:
                title += f"_{'_'.join(measure.words)}"
            while title in inner:
                title += "_2"
            inner[title] = exp.Sum(this=value)
            over_groups[title] = exp.Max if measure in long_table.national else exp.Sum
    for column in long_table.repeated:
        inner[column.name], over_groups[column.name] = exp.Max(this=_number(column)), exp.Max
    for column in long_table.repeated_in_groups:
        inner[column.name], over_groups[column.name] = exp.Max(this=_number(column)), exp.Sum
    for column in long_table.summed:
        inner[column.name], over_groups[column.name] = exp.Sum(this=_number(column)), exp.Sum
    kept = [long_table.date, *long_table.countries]
    keys = [*kept, *(column for column in long_table.groups if column not in kept)]
    query = _grouped(relation.copy(), keys, inner)
    if not long_table.groups:
        return query
    outer: dict[str, exp.Expr] = {
        name: make(this=_column(name)) for name, make in over_groups.items()
    }
    return _grouped(query.subquery("groups"), kept, outer)


def _grouped(
    relation: exp.Expr, keys: Sequence[ColumnProfile], values: dict[str, exp.Expr]
) -> exp.Select:
    columns = [_column(key.name) for key in keys]
    query = exp.select(*(column.copy() for column in columns))
    query = query.select(*(exp.alias_(v, name, quoted=True) for name, v in values.items()))
    return query.from_(relation).group_by(*columns)


def _number(column: ColumnProfile) -> exp.Expr:
    """Return the column as a number; text that writes numbers is parsed."""
    if column.kind is not Kind.TEXT:
        return _column(column.name)
    numbers = column.numbers or NumberFormat()
    if numbers == NumberFormat():
        return exp.TryCast(this=_column(column.name), to=exp.DataType.build("double"))
    return parse_number(exp.cast(_column(column.name), "VARCHAR"), numbers)


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)
