"""Checks of single columns: are the values there, numbers, possible, varied?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

import numpy as np

from job.gate.data import Data
from job.gate.verdict import Finding, Outcome, count, days, names, passed

_FEW = 8  # values from which on it is odd that all are the same


def missing_values(data: Data) -> Iterator[Finding]:
    """Every row has a value in every column that is used."""
    by_column = defaultdict(list)
    late = set(_missing_at_end(data))  # told by `target_end`
    for notice in data.evidence.notices:
        if notice.missing and not (notice.column == data.target and notice.period in late):
            by_column[notice.column].append(notice)
    for column, notices in by_column.items():
        figure = sum(n.missing for n in notices)
        share = figure / max(data.evidence.days, 1)
        allowed = data.gate.max_missing_share
        where = days(n.period for n in notices)
        hint = ""
        if column in data.config.factors:
            hint = "; write `none` or the like where nothing happened"
        yield Finding(
            name="missing_values",
            outcome=Outcome.BLOCK if share > allowed else Outcome.WARN,
            figure=round(share, 4),
            threshold=allowed,
            columns=(column,),
            dates=tuple(n.period for n in notices),
            sentence=f"`{column}` has no value in {count(figure, 'row')} (in {where}), "
            f"{share:.1%} of all; allowed: {allowed:.1%} (`gate.max_missing_share`){hint}",
        )
    if not by_column:
        threshold = data.gate.max_missing_share
        yield passed("missing_values", "no value is missing", figure=0, threshold=threshold)


def _missing_at_end(data: Data) -> list[date]:
    missing = np.isnan(data.values(data.target))
    late: list[date] = []
    for dates in (data.dates, data.known):
        there = np.flatnonzero(~missing[: len(dates)])
        late += dates[there[-1] + 1 :] if there.size else []
    return late


def not_numeric(data: Data) -> Iterator[Finding]:
    """What should be a number is one."""
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
    """Media are not negative, for no model takes that; a negative target is odd."""
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
    """The market is active: there is a target or a spend."""
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
    """Every column changes: nothing can be learnt from others, and Robyn stops on them."""
    for column in data.numeric:
        values = data.values(column)
        there = values[~np.isnan(values)]
        where = ""
        if column in data.media and not np.nansum(values[data.inside]) and data.inside.any():
            there = there[:0] if there.size < _FEW else np.zeros(len(there))
            where = "" if not np.nansum(values) else " of the modelling window"
        if there.size < max(_FEW, len(values) / 2) or there.min() != there.max():
            continue
        zero = there[0] == 0
        what = "zero in every" if zero else f"{there[0]:,.10g} in every"
        remedy = "is it the right column?" if column == data.target else "leave it out"
        yield Finding(
            name="all_zero" if zero else "constant",
            outcome=Outcome.BLOCK,
            figure=1,
            threshold=2,
            columns=(column,),
            sentence=f"`{column}` is {what} {data.period}{where}; {remedy}",
        )


def nearly_empty(data: Data) -> Iterator[Finding]:
    """Channels ran often enough."""
    least = 1.0
    for column in (*data.roles["spend"], *data.roles["organic"]):
        values = data.values(column)
        share = float(np.mean(np.nan_to_num(values) != 0))
        least = min(least, share or 1.0)
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
    if least >= data.gate.min_active_share:
        threshold = data.gate.min_active_share
        sentence = "the least share of periods in which a channel ran"
        yield passed("nearly_empty", sentence, figure=least, threshold=threshold)


def factors(data: Data) -> Iterator[Finding]:
    """Factors have at least two levels, and not one for every few rows."""
    for column in data.config.factors:
        there = data.frame[column].dropna()
        levels = there.unique()
        if len(there) < max(_FEW, len(data.frame) / 2):
            continue  # one row, or hardly a value: told already
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
    """Context has positive values: Robyn would silently turn the sign of others."""
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
