"""Checks of single columns: are the values there, numbers, possible, varied?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from job.gate.data import Data
from job.gate.verdict import Finding, Outcome, count, days, names


def missing_values(data: Data) -> Iterator[Finding]:
    """Days without a value, per column."""
    by_column = defaultdict(list)
    for notice in data.evidence.notices:
        if notice.missing:
            by_column[notice.column].append(notice)
    for column, notices in by_column.items():
        figure = sum(n.missing for n in notices)
        share = figure / max(data.evidence.days, 1)
        allowed = data.gate.max_missing_share
        where = days(n.period for n in notices)
        yield Finding(
            name="missing_values",
            outcome=Outcome.BLOCK if share > allowed else Outcome.WARN,
            figure=round(share, 4),
            threshold=allowed,
            columns=(column,),
            dates=tuple(n.period for n in notices),
            sentence=f"`{column}` has no value in {count(figure, 'row')} (in {where}), "
            f"{share:.1%} of all; allowed: {allowed:.1%} (`gate.max_missing_share`)",
        )


def not_numeric(data: Data) -> Iterator[Finding]:
    """Texts where a number should be."""
    by_column = defaultdict(list)
    for notice in data.evidence.notices:
        if notice.unreadable:
            by_column[notice.column].append(notice)
    for column, notices in by_column.items():
        figure = sum(n.unreadable for n in notices)
        hint = (
            "; if it names kinds of events, list it under `factors`"
            if column in data.roles["context"]
            else "; numbers are written 1234.56"
        )
        yield Finding(
            name="not_numeric",
            outcome=Outcome.BLOCK,
            figure=figure,
            threshold=0,
            columns=(column,),
            dates=tuple(n.period for n in notices),
            sentence=f"`{column}` holds text that is no number in {count(figure, 'row')} (in "
            f"{days(n.period for n in notices)}){hint}",
        )


def negative_values(data: Data) -> Iterator[Finding]:
    """Negative media, which no model takes; a negative target is odd."""
    by_column = defaultdict(list)
    for notice in data.evidence.notices:
        if notice.negative and notice.column in {*data.media, data.target}:
            by_column[notice.column].append(notice)
    for column, notices in by_column.items():
        figure = sum(n.negative for n in notices)
        is_target = column == data.target
        hint = "are they returns?" if is_target else "book refunds on the days of their spend"
        yield Finding(
            name="negative_values",
            outcome=Outcome.WARN if is_target else Outcome.BLOCK,
            figure=figure,
            threshold=0,
            columns=(column,),
            dates=tuple(n.period for n in notices),
            sentence=f"`{column}` is negative in {count(figure, 'row')} (in "
            f"{days(n.period for n in notices)}); {hint}",
        )


def nothing_happens(data: Data) -> Iterator[Finding]:
    """No target and no spend at all: a market that is not active."""
    idle = [c for c in (data.target, *data.roles["spend"]) if not np.nansum(np.abs(data.values(c)))]
    if len(idle) == 1 + len(data.roles["spend"]):
        yield Finding(
            name="nothing_happens",
            outcome=Outcome.SKIP,
            figure=0,
            threshold=0,
            columns=tuple(idle),
            sentence=f"`{data.target}` and all spends are zero from {data.dates[0]} to "
            f"{data.dates[-1]}: there is nothing to model",
        )


def constant(data: Data) -> Iterator[Finding]:
    """Columns that never change: nothing can be learnt from them, and Robyn stops on them."""
    for column in data.numeric:
        values = data.values(column)
        there = values[~np.isnan(values)]
        if not there.size or there.min() != there.max():
            continue
        zero = there[0] == 0
        what = "zero in every" if zero else f"{there[0]:g} in every"
        remedy = "is it the right column?" if column == data.target else "leave it out"
        yield Finding(
            name="all_zero" if zero else "constant",
            outcome=Outcome.BLOCK,
            figure=float(there[0]),
            columns=(column,),
            sentence=f"`{column}` is {what} {data.period}; {remedy}",
        )


def nearly_empty(data: Data) -> Iterator[Finding]:
    """Channels that hardly ever ran."""
    for column in (*data.roles["spend"], *data.roles["organic"]):
        values = data.values(column)
        share = float(np.mean(np.nan_to_num(values) != 0))
        if 0 < share < data.gate.min_active_share:
            active = [d for d, v in zip(data.dates, values, strict=True) if v and v == v]  # noqa: PLR0124
            yield Finding(
                name="nearly_empty",
                outcome=Outcome.WARN,
                figure=round(share, 4),
                threshold=data.gate.min_active_share,
                columns=(column,),
                dates=tuple(active),
                sentence=f"`{column}` is not zero in only {count(len(active), data.period)} of "
                f"{len(values)} ({days(active)}); its effect cannot be told from chance",
            )


def factors(data: Data) -> Iterator[Finding]:
    """Factors need at least two levels, and not one for every few rows."""
    for column in data.config.factors:
        levels = data.frame[column].dropna().unique()
        if len(levels) < 2:
            yield Finding(
                name="constant",
                outcome=Outcome.BLOCK,
                figure=len(levels),
                threshold=2,
                columns=(column,),
                sentence=f"the factor `{column}` has the same value in every {data.period}; "
                "leave it out",
            )
        elif len(levels) > data.gate.max_levels:
            yield Finding(
                name="many_levels",
                outcome=Outcome.WARN,
                figure=len(levels),
                threshold=data.gate.max_levels,
                columns=(column,),
                sentence=f"the factor `{column}` has {len(levels)} levels "
                f"({names(sorted(map(str, levels)), 3)}); each is a variable of its own",
            )


def all_negative(data: Data) -> Iterator[Finding]:
    """Context without a positive value: Robyn would silently turn its sign."""
    for column in data.roles["context"]:
        values = data.values(column)
        there = values[~np.isnan(values)]
        if there.size and there.max() <= 0 and there.min() < 0:
            yield Finding(
                name="all_negative",
                outcome=Outcome.WARN,
                figure=float(there.max()),
                threshold=0,
                columns=(column,),
                sentence=f"`{column}` is never positive; Robyn turns its sign silently, so its "
                "effect would be read the wrong way round. Give it with the other sign",
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
