"""Detect level shifts, outliers and mixed scales in one series of positive values.

This module has the arithmetic; `levels.py` has the checks that report it. All measures use
logarithms and medians. They do not depend on units, and one fault does not hide another. Zeros
and missing values are ignored: a channel that pauses is not an anomaly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MIN_VALUES = 12  # with fewer positive values no usual level is estimated
_SIDE_VALUES = 13  # values on each side of a level shift that measure its height
_MIN_SEPARATION = 0.85  # share of values on the correct side of a level shift's midpoint
_MIN_SPREAD = 0.15  # in logarithms, so that a nearly constant series has no outliers
_ISOLATION_GAP = np.log(3)  # gap to all other values that isolates a large value
_MAX_ISOLATED = 3  # large values that can be isolated together

Numbers = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class LevelShift:
    """A lasting change: from `position` on, values run at `ratio` times their former level."""

    position: int
    ratio: float


@dataclass(frozen=True, kw_only=True)
class Anomalies:
    """The level shift and the outliers of one series.

    Attributes:
        level_shift: the lasting change of level, if there is one.
        scores: (values,) robust z scores; 0 for values that are not scored.
        isolated: (values,) booleans; true for large values far above all others.
    """

    level_shift: LevelShift | None
    scores: Numbers
    isolated: Numbers

    def outliers(self, max_score: float) -> Numbers:
        """Return the positions of values that score above `max_score` or are isolated."""
        return np.flatnonzero((self.scores > max_score) | self.isolated)


def find_anomalies(values: Numbers, *, min_ratio: float) -> Anomalies:
    """Find a level shift by at least `min_ratio`, then the outliers around the adjusted level."""
    with np.errstate(invalid="ignore"):
        positive = np.flatnonzero(values > 0)
    scores, isolated = np.zeros(len(values)), np.zeros(len(values), dtype=bool)
    if len(positive) < _MIN_VALUES:
        return Anomalies(level_shift=None, scores=scores, isolated=isolated)
    logs = np.log(values[positive])
    shift = _find_shift(logs, np.log(min_ratio))
    if shift is not None:
        position, height = shift
        logs = np.concatenate([logs[:position] + height, logs[position:]])
    deviations, spread = _deviations(logs)
    # Small values have a longer tail, and one beside a pause may cover only part of a period.
    # So a small value counts only between two active periods and far below the usual low values.
    active = np.concatenate([[False], values != 0, [False]])
    small = (active[:-2] & active[2:])[positive] & (deviations < 4 * np.quantile(deviations, 0.05))
    scores[positive] = np.where((deviations > 0) | small, np.abs(deviations), 0.0)
    isolated[positive] = _isolated(logs, deviations, spread)
    level_shift = (
        LevelShift(position=int(positive[position]), ratio=float(np.exp(height))) if shift else None
    )
    return Anomalies(level_shift=level_shift, scores=scores, isolated=isolated)


def without_anomalies(values: Numbers, anomalies: Anomalies, max_score: float) -> Numbers:
    """Return the series on its current level, with outliers replaced by NaN."""
    clean = values.astype(float).copy()
    if anomalies.level_shift is not None:
        clean[: anomalies.level_shift.position] *= anomalies.level_shift.ratio
    clean[anomalies.outliers(max_score)] = np.nan
    return clean


def linear_scores(values: Numbers) -> Numbers:
    """Return robust z scores on the linear scale, which also suits negative values.

    Zeros and missing values score 0.
    """
    scores = np.zeros(len(values))
    used = (values != 0) & ~np.isnan(values)
    if np.count_nonzero(used) < _MIN_VALUES:
        return scores
    middle = np.median(values[used])
    spread = max(_robust_sd(values[used] - middle), 0.02 * abs(float(middle)))
    if spread > 0:
        scores[used] = np.abs(values[used] - middle) / spread
    return scores


def find_two_scales(values: Numbers) -> tuple[Numbers, float] | None:
    """Return (positions of values on the smaller scale, factor between the scales), or None.

    A series has two scales if its values form two groups a factor of 100 or more apart, with no
    value between them, and both groups occur throughout the series. Typical causes are `1.234`
    written for 1234 beside 950, and two units in one column.
    """
    with np.errstate(invalid="ignore"):
        positive = np.flatnonzero(values > 0)
    min_group = max(6, len(positive) // 30)
    if len(positive) < 3 * min_group:
        return None
    order = positive[np.argsort(values[positive], kind="stable")]
    logs = np.log(values[order])
    cut = int(np.argmax(np.diff(logs))) + 1
    if logs[cut] - logs[cut - 1] < np.log(20) or not min_group <= cut <= len(order) - min_group:
        return None
    ratio = float(np.exp(np.median(logs[cut:]) - np.median(logs[:cut])))
    low = np.sort(order[:cut])
    high = np.sort(order[cut:])
    mixed = low[0] < high[len(high) // 2] < low[-1] or high[0] < low[len(low) // 2] < high[-1]
    return (low, ratio) if ratio >= 100 and mixed else None


def _find_shift(logs: Numbers, min_height: float) -> tuple[int, float] | None:
    """Return (first position after the level shift, its height in logarithms), or None."""
    n, side = len(logs), min(_SIDE_VALUES, len(logs) // 3)
    medians = np.median(np.lib.stride_tricks.sliding_window_view(logs, side), axis=1)
    heights = medians[side:] - medians[:-side]  # of the cuts side .. n - side
    steepest = int(np.argmax(np.abs(heights))) + side
    cut = _best_cut(logs, steepest, side)
    before, after = logs[:cut], logs[cut:]
    height = float(np.median(after[:side]) - np.median(before[-side:]))
    noise = np.concatenate([before[-side:], after[:side] - height])
    is_steep = abs(height) >= max(min_height, 3 * _robust_sd(noise - np.median(noise)))
    is_lasting = abs(float(np.median(after) - np.median(before))) >= min_height
    if is_steep and is_lasting and _separation(before, after, height) >= _MIN_SEPARATION:
        return cut, height
    # A shift near an end has few values on one side, so it must separate all values clearly.
    for k in range(side, 1, -1):
        for cut in (n - k, k):
            before, after = logs[:cut], logs[cut:]
            height = float(np.median(after[:side]) - np.median(before[-side:]))
            spread = max(_robust_sd(part - np.median(part)) for part in (before, after))
            gap = max(after.min() - before.max(), before.min() - after.max())
            if abs(height) >= max(min_height, 5 * spread) and gap >= abs(height) / 2:
                return cut, height
    return None


def _best_cut(logs: Numbers, near: int, side: int) -> int:
    """Return the cut near a position that minimises the distance to both sides' medians."""

    def distance(cut: int) -> float:
        return sum(
            float(np.abs(part - np.median(part)).sum())
            for part in (logs[max(0, near - 2 * side) : cut], logs[cut : near + 2 * side])
        )

    cuts = range(max(2, near - side + 1), min(len(logs) - 1, near + side))
    return min(cuts, key=distance)


def _separation(before: Numbers, after: Numbers, height: float) -> float:
    """Return the share of values on the correct side of the midpoint; the lower of both sides."""
    side = min(_SIDE_VALUES, len(before), len(after))
    middle = (np.median(before[-2 * side :]) + np.median(after[: 2 * side])) / 2
    sign = np.sign(height)
    return float(min(np.mean(sign * (middle - before) > 0), np.mean(sign * (after - middle) > 0)))


def _deviations(logs: Numbers) -> tuple[Numbers, float]:
    """Return (signed robust z scores, spread)."""
    middle = np.median(logs)
    spread = max(_robust_sd(logs - middle), _MIN_SPREAD)
    return (logs - middle) / spread, spread


def _robust_sd(centred: Numbers) -> float:
    """Return the larger of two robust standard deviations: by median deviation, by quartiles."""
    quartiles = np.percentile(centred, [25, 75])
    return max(float(np.median(np.abs(centred))) * 1.4826, float(np.ptp(quartiles)) / 1.349)


def _isolated(logs: Numbers, deviations: Numbers, spread: float) -> Numbers:
    """Mark the few large values that are far above all others, given the series' spread."""
    order = np.argsort(-logs, kind="stable")
    marks = np.zeros(len(logs), dtype=bool)
    for i in range(min(_MAX_ISOLATED, len(logs) - 1), 0, -1):
        gap = logs[order[i - 1]] - logs[order[i]]
        if gap >= max(_ISOLATION_GAP, 2 * spread) and deviations[order[i - 1]] >= 5:
            marks[order[:i]] = True
            break
    return marks
