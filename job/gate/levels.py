"""Checks of levels: single values far off, lasting jumps, two units in one column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from job.gate.data import Data
from job.gate.level_shifts import linear_scores, two_scales
from job.gate.verdict import Finding, Outcome, count, days, passed

_MOST = 0.03  # share of values that can be outliers; more are the way of the series
_SEASON = 14  # days by which a peak may move from year to year


def outliers(data: Data) -> Iterator[Finding]:
    """No value is far from all others of its column: wrong units, typing errors."""
    highest = 0.0
    for column in data.numeric:
        values = data.values(column)
        scores, odd = _odd(data, column, values)
        highest = max(highest, float(scores.max(initial=0)))
        if not 0 < odd.size <= max(5, _MOST * len(values)) or _scales(data, column):
            continue
        worst = int(odd[np.argmax(scores[odd])])
        middle = float(np.nanmedian(values[values != 0]))
        yield Finding(
            name="outliers",
            outcome=Outcome.WARN,
            figure=round(float(scores[worst]), 1),
            threshold=data.gate.outlier_score,
            columns=(column,),
            dates=tuple(data.dates[i] for i in odd),
            sentence=f"`{column}` is {values[worst]:,.6g} on {data.dates[worst]}, where "
            f"{middle:,.6g} is usual ({count(odd.size, 'outlier')}: "
            f"{days(data.dates[i] for i in odd)}); is a unit or a digit wrong?",
        )
    if highest <= data.gate.outlier_score:
        threshold = data.gate.outlier_score
        yield passed("outliers", "the highest score", figure=highest, threshold=threshold)


def _odd(data: Data, column: str, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """(scores, positions of outliers); context must be odd on its own scale as well."""
    breaks = data.breaks(column)
    score = data.gate.outlier_score
    scores, odd = breaks.scores, breaks.outliers(score)
    if column in data.roles["context"]:
        linear = linear_scores(values)
        scores = linear if np.nanmin(values, initial=0) < 0 else np.minimum(scores, linear)
        odd = np.flatnonzero(scores > score)
    return scores, odd[[not _yearly(data, values, i) for i in odd]] if odd.size else odd


def _yearly(data: Data, values: NDArray[Any], i: int) -> bool:
    """Whether about a year before or after there is a value at least half as large."""
    day = data.dates[i].toordinal()
    away = np.abs(np.array([other.toordinal() for other in data.dates]) - day)
    near = (np.abs(away % 365.25 - 365.25 / 2) >= 365.25 / 2 - _SEASON) & (away > 300)
    return bool((values[near] >= values[i] / 2).any() and values[i] > np.nanmedian(values))


def level_shift(data: Data) -> Iterator[Finding]:
    """No level jumps for good: another unit or currency, a changed definition."""
    for column in data.numeric:
        step = data.breaks(column).step
        signed = column in data.roles["context"] and np.nanmin(data.values(column), initial=0) < 0
        if step is None or signed:  # what may be negative has no level in logarithms
            continue
        begin = data.dates[step.position]
        yield Finding(
            name="level_shift",
            outcome=Outcome.WARN,
            figure=round(step.ratio, 3 if step.ratio > 0.01 else 6),
            threshold=data.gate.level_shift_ratio,
            columns=(column,),
            dates=(begin,),
            sentence=f"`{column}` runs at {step.ratio:,.3g} times its former level since {begin}; "
            "did its unit, currency or definition change?",
        )


def mixed_units(data: Data) -> Iterator[Finding]:
    """Values of a column are of one unit."""
    for column in data.numeric:
        found = _scales(data, column)
        if found is None:
            continue
        where, ratio = found
        when = tuple(data.dates[i] for i in where)
        yield Finding(
            name="mixed_units",
            outcome=Outcome.WARN,
            figure=round(ratio, 1),
            threshold=100,
            columns=(column,),
            dates=when,
            sentence=f"`{column}` has values of two scales, {ratio:,.3g} times apart, and none "
            f"between; the small ones are in {count(len(when), data.period)} ({days(when)}). Are "
            "units mixed, or points written for thousands?",
        )


def _scales(data: Data, column: str) -> tuple[NDArray[Any], float] | None:
    return two_scales(data.values(column)) if data.breaks(column).step is None else None


CHECKS = (outliers, level_shift, mixed_units)
