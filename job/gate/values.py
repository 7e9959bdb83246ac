"""Checks of a column's values: present, numeric, plausible and varied."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from job.gate.data import Data
from job.gate.verdict import Finding, Outcome, passed
from job.gate.wording import date_list, name_list, quantity
from job.sources.number_texts import number_remedy

_MIN_VALUES = 8  # with fewer values, all of them may be the same by chance


def missing_values(data: Data) -> Iterator[Finding]:
    """Every row has a value in every column of the config."""
    by_column = defaultdict(list)
    late = set(_missing_at_end(data))  # `target_end` reports these
    for notice in data.evidence.notices:
        if notice.missing and not (notice.column == data.target and notice.period in late):
            by_column[notice.column].append(notice)
    for column, notices in by_column.items():
        figure = sum(n.missing for n in notices)
        share = figure / max(data.evidence.days, 1)
        allowed = data.gate.max_missing_share
        where = date_list(n.period for n in notices)
        shown = data.evidence.examples_of(column, "missing")
        yield Finding(
            name="missing_values",
            outcome=Outcome.BLOCK if share > allowed else Outcome.WARN,
            figure=round(share, 4),
            threshold=allowed,
            columns=(column,),
            dates=tuple(n.period for n in notices),
            sentence=f"`{column}` has no value in {quantity(figure, 'row')} (in {where})"
            + (f": {shown}" if shown else "")
            + f", {share:.1%} of all rows; allowed: {allowed:.1%} (`gate.max_missing_share`); "
            + _missing_remedy(data, column),
        )
    if not by_column:
        threshold = data.gate.max_missing_share
        yield passed("missing_values", "no value is missing", figure=0, threshold=threshold)


def _missing_remedy(data: Data, column: str) -> str:
    if column in data.config.factors:
        return "write a level such as `none` for periods without an event"
    texts = sorted({e.text for e in data.evidence.faulty(column, "missing") if e.text})
    if texts:
        listed = json.dumps(texts, ensure_ascii=False)
        return f"set `numbers.zero: {listed}` if this means zero, or write the values"
    if column in data.media:
        return "write 0 where there was none"
    return "load or write the values"


def _missing_at_end(data: Data) -> list[date]:
    """Return the last periods, in which the target is missing."""
    missing = np.isnan(data.values(data.target))
    late: list[date] = []
    for dates in (data.dates, data.past_dates):
        present = np.flatnonzero(~missing[: len(dates)])
        late += dates[present[-1] + 1 :] if present.size else []
    return late


def not_numeric(data: Data) -> Iterator[Finding]:
    """Every value of a numeric column is a number."""
    by_column = defaultdict(list)
    for notice in data.evidence.notices:
        if notice.unreadable:
            by_column[notice.column].append(notice)
    for column, notices in by_column.items():
        figure = sum(n.unreadable for n in notices)
        texts = [example.text for example in data.evidence.faulty(column) if example.text]
        shown = data.evidence.examples_of(column)
        hint = (
            "; if it has names or labels, list it under `factors`; if it has numbers, "
            if column in data.roles["context"]
            else "; "
        ) + number_remedy(texts, others=figure < data.evidence.rows_read)
        yield Finding(
            name="not_numeric",
            outcome=Outcome.BLOCK,
            figure=figure,
            threshold=0,
            columns=(column,),
            dates=tuple(n.period for n in notices),
            sentence=f"`{column}` has text instead of a number in {quantity(figure, 'row')} (in "
            f"{date_list(n.period for n in notices)})" + (f": {shown}" if shown else "") + hint,
        )


def negative_values(data: Data) -> Iterator[Finding]:
    """Media and target have no negative values."""
    by_column = defaultdict(list)
    for notice in data.evidence.notices:
        if notice.negative and notice.column in {*data.media, data.target}:
            by_column[notice.column].append(notice)
    for column, notices in by_column.items():
        figure = sum(n.negative for n in notices)
        is_target = column == data.target
        shown = data.evidence.examples_of(column, "negative")
        hint = (
            "check whether these are returns"
            if is_target
            else "subtract a refund from the spend that it belongs to"
        )
        yield Finding(
            name="negative_values",
            outcome=Outcome.WARN if is_target else Outcome.BLOCK,
            figure=figure,
            threshold=0,
            columns=(column,),
            dates=tuple(n.period for n in notices),
            sentence=f"`{column}` is negative in {quantity(figure, 'row')} (in "
            f"{date_list(n.period for n in notices)})"
            + (f": {shown}" if shown else "")
            + f"; {hint}",
        )


def nothing_happens(data: Data) -> Iterator[Finding]:
    """The market is active: it has target values or spend."""
    idle = [c for c in (data.target, *data.roles["spend"]) if not np.nansum(np.abs(data.values(c)))]
    if len(idle) == 1 + len(data.roles["spend"]):
        yield Finding(
            name="nothing_happens",
            outcome=Outcome.SKIP,
            figure=0,
            threshold=0,
            columns=tuple(idle),
            sentence=f"`{data.target}` and all spend are zero from {data.dates[0]} to "
            f"{data.dates[-1]}: there is nothing to model",
        )


def _is_constant(values: NDArray[Any]) -> bool:
    """Return whether enough values are present and all of them are the same."""
    present = values[~np.isnan(values)]
    return present.size >= _MIN_VALUES and bool(present.min() == present.max())


def constant(data: Data) -> Iterator[Finding]:
    """Every column varies; a model learns nothing from a constant, and Robyn stops on it."""
    for column in data.numeric:
        values = data.values(column)
        present = values[~np.isnan(values)]
        where = ""
        if column != data.target and _is_constant(values[data.in_window]):
            level = values[data.in_window & ~np.isnan(values)][0]
            where = "" if _is_constant(present) else " of the modelling window"
            present = np.full(len(present), level)
        if present.size < max(_MIN_VALUES, len(values) / 2) or present.min() != present.max():
            continue
        zero = present[0] == 0
        what = "zero in every" if zero else f"{present[0]:,.10g} in every"
        remedy = "check `target.column`" if column == data.target else "remove it from the config"
        yield Finding(
            name="all_zero" if zero else "constant",
            outcome=Outcome.BLOCK,
            figure=1,
            threshold=2,
            columns=(column,),
            sentence=f"`{column}` is {what} {data.period}{where}; {remedy}",
        )


def nearly_empty(data: Data) -> Iterator[Finding]:
    """Every channel runs in enough periods."""
    lowest_share = 1.0
    for column in (*data.roles["spend"], *data.roles["organic"]):
        values = data.values(column)
        share = float(np.mean(np.nan_to_num(values) != 0))
        lowest_share = min(lowest_share, share or 1.0)
        if 0 < share < data.gate.min_active_share:
            active = [d for d, v in zip(data.dates, values, strict=True) if v and v == v]  # noqa: PLR0124
            yield Finding(
                name="nearly_empty",
                outcome=Outcome.WARN,
                figure=round(share, 4),
                threshold=data.gate.min_active_share,
                columns=(column,),
                dates=tuple(active),
                sentence=f"`{column}` is zero except in {len(active)} of "
                f"{quantity(len(values), data.period)} ({date_list(active)}); its effect is "
                "indistinguishable from chance. Remove it, or combine it with another channel",
            )
    if lowest_share >= data.gate.min_active_share:
        threshold = data.gate.min_active_share
        sentence = "the lowest share of periods in which a channel ran"
        yield passed("nearly_empty", sentence, figure=lowest_share, threshold=threshold)


def factors(data: Data) -> Iterator[Finding]:
    """Every factor has at least two levels, and not too many."""
    for column in data.config.factors:
        present = data.frame[column].dropna()
        levels = present.unique()
        if len(present) < max(_MIN_VALUES, len(data.frame) / 2):
            continue  # `few_rows` or `missing_values` reports it
        window = data.frame[column][data.in_window].dropna()
        where = ""
        if len(window) >= _MIN_VALUES and window.nunique() < 2 <= len(levels):
            levels, where = window.unique(), " of the modelling window"
        if len(levels) < 2:
            yield Finding(
                name="constant",
                outcome=Outcome.BLOCK,
                figure=len(levels),
                threshold=2,
                columns=(column,),
                sentence=f"the factor `{column}` has the same level in every {data.period}{where}; "
                "remove it from the config",
            )
        elif len(levels) > data.gate.max_levels:
            yield Finding(
                name="many_levels",
                outcome=Outcome.WARN,
                figure=len(levels),
                threshold=data.gate.max_levels,
                columns=(column,),
                sentence=f"the factor `{column}` has {len(levels)} levels "
                f"({name_list(sorted(map(str, levels)), 3)}), and each becomes a variable of the "
                "model; combine rare levels",
            )


def all_negative(data: Data) -> Iterator[Finding]:
    """Every context column has positive values."""
    for column in data.roles["context"]:
        values = data.values(column)
        present = values[~np.isnan(values)]
        if present.size and present.max() <= 0 and present.min() < 0:
            yield Finding(
                name="all_negative",
                outcome=Outcome.WARN,
                figure=float(present.max()),
                threshold=0,
                columns=(column,),
                sentence=f"`{column}` is never positive; Robyn silently flips its sign, so its "
                "effect would appear reversed. Multiply it by -1",
            )


CHECKS = (
    missing_values,
    not_numeric,
    negative_values,
    nothing_happens,
    constant,
    nearly_empty,
    factors,
    all_negative,
)
