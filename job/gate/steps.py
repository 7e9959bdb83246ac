"""Checks for figures that are not a period's own: those of a longer one, and running totals."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from job.gate.data import Data
from job.gate.verdict import Finding, Outcome
from job.gate.wording import date_list

_MAX_EQUAL = 0.4  # share of neighbouring values that are equal; larger ones are hardly chance
_MAX_EQUAL_SPENDS = 0.6  # spends are often planned for several weeks
_MIN_SIZE = 10.0  # smaller figures, such as a few orders a day, are equal by chance
_MIN_STEPS = 6
_MIN_RISES = 20
_MIN_REGULAR = 0.7  # share of steps of the usual length, within one period


def longer_period(data: Data) -> Iterator[Finding]:
    """No target or spend stays the same for several periods and then changes, again and again."""
    for column in [data.target, *data.roles["spend"]]:
        is_target = column == data.target
        values = data.values(column)
        present = np.flatnonzero(~np.isnan(values) & (values != 0))
        if len(present) < 0.8 * len(values) or np.median(np.abs(values[present])) < _MIN_SIZE:
            continue
        steps = values[present]
        changes = np.flatnonzero(np.diff(steps) != 0)
        share = 1 - len(changes) / max(len(steps) - 1, 1)
        lengths = np.diff(changes)
        if len(lengths) < _MIN_STEPS:
            continue
        usual = float(np.median(lengths[lengths > 1])) if (lengths > 1).any() else 1.0
        regular = float(np.mean(np.abs(lengths - usual) <= max(1.0, 0.1 * usual)))
        threshold = _MAX_EQUAL if is_target else _MAX_EQUAL_SPENDS
        if share < threshold or (not is_target and regular < _MIN_REGULAR):
            continue
        first = present[changes[:3] + 1]
        yield Finding(
            name="longer_period",
            outcome=Outcome.BLOCK if is_target else Outcome.WARN,
            figure=round(share, 4),
            threshold=threshold,
            columns=(column,),
            dates=tuple(data.dates[i] for i in first),
            sentence=f"`{column}` usually stays the same for {usual:.0f} {data.period}s and then "
            f"changes (e.g. on {date_list(data.dates[i] for i in first)}): it seems to be the "
            "figure of a longer period that was spread, or repeated and counted several times. Use "
            f"figures per {data.period}{_remedy(data, column)}",
        )


def _remedy(data: Data, column: str) -> str:
    if data.period == "month":
        return ""
    return (
        f", or set `date.frequency: month`, with `aggregation: {{{column}: max}}` if it is a "
        "month's and was repeated"
    )


def running_total(data: Data) -> Iterator[Finding]:
    """No target or spend only rises, as a running total does."""
    years = data.dates[-1].year - data.dates[0].year
    for column in [data.target, *data.roles["spend"]]:
        values = data.values(column)
        values = values[~np.isnan(values)]
        changes = np.diff(values)
        falls = np.flatnonzero(changes < 0)
        starts_again = (values[falls + 1] < values[falls] / 2).all()
        if len(falls) > years or not starts_again or (changes > 0).sum() < _MIN_RISES:
            continue
        again = " but at the start of a year" if len(falls) else ""
        yield Finding(
            name="running_total",
            outcome=Outcome.WARN,
            figure=len(falls),
            threshold=years,
            columns=(column,),
            dates=(data.dates[0], data.dates[-1]),
            sentence=f"`{column}` never falls{again} (from {values[0]:,.6g} on {data.dates[0]} to "
            f"{values[-1]:,.6g} on {data.dates[-1]}), as a running total does. Use the amount of "
            f"each {data.period}: the difference from the row before",
        )


CHECKS = (longer_period, running_total)
