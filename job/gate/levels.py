"""Checks of a column's level: outliers, lasting shifts, two units in one column.

`anomalies.py` has the arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from job.gate.anomalies import find_two_scales, linear_scores
from job.gate.data import Data
from job.gate.verdict import Finding, Outcome, passed
from job.gate.wording import date_list, quantity

_MAX_OUTLIER_SHARE = 0.03  # with a larger share of outliers, large values are usual
_SEASON_TOLERANCE_DAYS = 14  # a yearly peak may move by this much


def outliers(data: Data) -> Iterator[Finding]:
    """No value is far from all others in its column."""
    highest = 0.0
    for column in data.numeric:
        values = data.values(column)
        scores, positions = _outliers(data, column, values)
        highest = max(highest, float(scores.max(initial=0)))
        max_outliers = max(5, _MAX_OUTLIER_SHARE * len(values))
        if not 0 < positions.size <= max_outliers or _two_scales(data, column):
            continue
        worst = int(positions[np.argmax(scores[positions])])
        median = float(np.nanmedian(values[values != 0]))
        yield Finding(
            name="outliers",
            outcome=Outcome.WARN,
            figure=round(float(scores[worst]), 1),
            threshold=data.gate.outlier_score,
            columns=(column,),
            dates=tuple(data.dates[i] for i in positions),
            sentence=f"`{column}` is {values[worst]:,.6g} on {data.dates[worst]}, but its usual "
            f"value is {median:,.6g} ({quantity(positions.size, 'outlier')}: "
            f"{date_list(data.dates[i] for i in positions)}); check for a wrong unit or digit",
        )
    if highest <= data.gate.outlier_score:
        threshold = data.gate.outlier_score
        yield passed("outliers", "the highest score", figure=highest, threshold=threshold)


def _outliers(data: Data, column: str, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (scores, positions of outliers), without peaks that recur every year.

    A context column must also be an outlier on the linear scale.
    """
    anomalies = data.anomalies(column)
    max_score = data.gate.outlier_score
    scores, positions = anomalies.scores, anomalies.outliers(max_score)
    if column in data.roles["context"]:
        linear = linear_scores(values)
        scores = linear if np.nanmin(values, initial=0) < 0 else np.minimum(scores, linear)
        positions = np.flatnonzero(scores > max_score)
    if not positions.size:
        return scores, positions
    return scores, positions[[not _is_yearly_peak(data, values, i) for i in positions]]


def _is_yearly_peak(data: Data, values: NDArray[Any], i: int) -> bool:
    """Return whether a value at least half as large occurs about a year earlier or later."""
    day = data.dates[i].toordinal()
    distance = np.abs(np.array([other.toordinal() for other in data.dates]) - day)
    from_half_year = np.abs(distance % 365.25 - 365.25 / 2)  # largest at whole years
    same_season = (from_half_year >= 365.25 / 2 - _SEASON_TOLERANCE_DAYS) & (distance > 300)
    return bool((values[same_season] >= values[i] / 2).any() and values[i] > np.nanmedian(values))


def level_shift(data: Data) -> Iterator[Finding]:
    """No column changes its level permanently, as it does with a new unit or definition."""
    for column in data.numeric:
        shift = data.anomalies(column).level_shift
        signed = column in data.roles["context"] and np.nanmin(data.values(column), initial=0) < 0
        if shift is None or signed:  # a column with negative values has no level in logarithms
            continue
        start = data.dates[shift.position]
        yield Finding(
            name="level_shift",
            outcome=Outcome.WARN,
            figure=round(shift.ratio, 3 if shift.ratio > 0.01 else 6),
            threshold=data.gate.level_shift_ratio,
            columns=(column,),
            dates=(start,),
            sentence=f"`{column}` runs at {shift.ratio:,.3g} times its former level since {start}; "
            "check whether its unit, currency or definition changed",
        )


def mixed_units(data: Data) -> Iterator[Finding]:
    """All values of a column are in one unit."""
    for column in data.numeric:
        scales = _two_scales(data, column)
        if scales is None:
            continue
        positions, ratio = scales
        dates = tuple(data.dates[i] for i in positions)
        yield Finding(
            name="mixed_units",
            outcome=Outcome.WARN,
            figure=round(ratio, 1),
            threshold=100,
            columns=(column,),
            dates=dates,
            sentence=f"`{column}` has values on two scales, {ratio:,.3g} times apart, and none "
            f"between; the smaller values are in {quantity(len(dates), data.period)} "
            f"({date_list(dates)}); check for mixed units or a point as thousands separator",
        )


def _two_scales(data: Data, column: str) -> tuple[NDArray[Any], float] | None:
    if data.anomalies(column).level_shift is not None:
        return None
    return find_two_scales(data.values(column))


CHECKS = (outliers, level_shift, mixed_units)
