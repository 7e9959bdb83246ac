"""Breaks in a series of positive values: a lasting step, single values that are far off.

All is measured on logarithms and by medians, so that units do not count and one fault does not
hide another. Zeros and missing values are left out: that a channel pauses is no break.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEWEST = 12  # values from which on a usual level can be told
_SIDE = 13  # values on either side of a step by which its height is measured
_PURE = 0.85  # share of values that lie on their side of the middle of a step
_SPREAD = 0.15  # least spread, so that nearly constant series have no outliers
_ALONE = np.log(3)  # distance to all other values from which on a large value stands alone
_TOP = 3  # values that may stand alone together

Numbers = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Step:
    """From `position` on, values run at `ratio` times their former level."""

    position: int
    ratio: float


@dataclass(frozen=True, kw_only=True)
class Breaks:
    """What is found in one series. `scores` are robust z scores, 0 where nothing is measured."""

    step: Step | None
    scores: Numbers
    alone: Numbers

    def outliers(self, score: float) -> Numbers:
        """Positions of values beyond `score`, or far above all others."""
        return np.flatnonzero((self.scores > score) | self.alone)


def find_breaks(values: Numbers, *, least: float) -> Breaks:
    """Look for a step of at least `least` times, then for outliers beside it."""
    with np.errstate(invalid="ignore"):
        used = np.flatnonzero(values > 0)
    scores, alone = np.zeros(len(values)), np.zeros(len(values), dtype=bool)
    if len(used) < FEWEST:
        return Breaks(step=None, scores=scores, alone=alone)
    logs = np.log(values[used])
    step = _step(logs, np.log(least))
    if step is not None:
        position, height = step
        logs = np.concatenate([logs[:position] + height, logs[position:]])
    deviations, spread = _deviations(logs)
    # a small value beside a pause may be a part of a period, and small values have a longer tail
    active = np.concatenate([[False], values != 0, [False]])
    small = (active[:-2] & active[2:])[used] & (deviations < 4 * np.quantile(deviations, 0.05))
    scores[used] = np.where((deviations > 0) | small, np.abs(deviations), 0.0)
    alone[used] = _alone(logs, deviations, spread)
    found = Step(position=int(used[position]), ratio=float(np.exp(height))) if step else None
    return Breaks(step=found, scores=scores, alone=alone)


def mended(values: Numbers, breaks: Breaks, score: float) -> Numbers:
    """The series as it would be without its breaks: outliers missing, one level."""
    whole = values.astype(float).copy()
    if breaks.step is not None:
        whole[: breaks.step.position] *= breaks.step.ratio
    whole[breaks.outliers(score)] = np.nan
    return whole


def linear_scores(values: Numbers) -> Numbers:
    """Robust z scores of the values themselves, zeros left out; for what may be negative."""
    scores = np.zeros(len(values))
    used = (values != 0) & ~np.isnan(values)
    if np.count_nonzero(used) < FEWEST:
        return scores
    middle = np.median(values[used])
    spread = max(_robust_sd(values[used] - middle), 0.02 * abs(float(middle)))
    if spread > 0:
        scores[used] = np.abs(values[used] - middle) / spread
    return scores


def two_scales(values: Numbers) -> tuple[Numbers, float] | None:
    """Positions of values on the smaller of two scales, and how far apart these are.

    The scales lie a factor of 100 apart, nothing lies between them, and both have values all over
    the series: what comes of `1.234` for 1234 beside 950, or of two units in one column.
    """
    with np.errstate(invalid="ignore"):
        used = np.flatnonzero(values > 0)
    few = max(6, len(used) // 30)
    if len(used) < 3 * few:
        return None
    order = used[np.argsort(values[used], kind="stable")]
    logs = np.log(values[order])
    cut = int(np.argmax(np.diff(logs))) + 1
    if logs[cut] - logs[cut - 1] < np.log(20) or not few <= cut <= len(order) - few:
        return None
    ratio = float(np.exp(np.median(logs[cut:]) - np.median(logs[:cut])))
    low = np.sort(order[:cut])
    high = np.sort(order[cut:])
    mixed = low[0] < high[len(high) // 2] < low[-1] or high[0] < low[len(low) // 2] < high[-1]
    return (low, ratio) if ratio >= 100 and mixed else None


def _step(logs: Numbers, least: float) -> tuple[int, float] | None:
    """(first position after the step, height in logarithms)."""
    n, side = len(logs), min(_SIDE, len(logs) // 3)
    windows = np.median(np.lib.stride_tricks.sliding_window_view(logs, side), axis=1)
    heights = windows[side:] - windows[:-side]  # of cuts side .. n - side
    around = int(np.argmax(np.abs(heights))) + side
    cut = _best_cut(logs, around, side)
    before, after = logs[:cut], logs[cut:]
    height = float(np.median(after[:side]) - np.median(before[-side:]))
    noise = np.concatenate([before[-side:], after[:side] - height])
    steep = abs(height) >= max(least, 3 * _robust_sd(noise - np.median(noise)))
    lasting = float(np.median(after) - np.median(before))
    if steep and abs(lasting) >= least and _purity(before, after, height) >= _PURE:
        return cut, height
    for k in range(side, 1, -1):  # a step near an end has few values to show itself
        for cut in (n - k, k):
            before, after = logs[:cut], logs[cut:]
            height = float(np.median(after[:side]) - np.median(before[-side:]))
            spread = max(_robust_sd(part - np.median(part)) for part in (before, after))
            apart = max(after.min() - before.max(), before.min() - after.max())
            if abs(height) >= max(least, 5 * spread) and apart >= abs(height) / 2:
                return cut, height
    return None


def _best_cut(logs: Numbers, around: int, side: int) -> int:
    """The cut near `around` that leaves the least distance to the medians of both sides."""

    def left(cut: int) -> float:
        return sum(
            float(np.abs(part - np.median(part)).sum())
            for part in (logs[max(0, around - 2 * side) : cut], logs[cut : around + 2 * side])
        )

    near = range(max(2, around - side + 1), min(len(logs) - 1, around + side))
    return min(near, key=left)


def _purity(before: Numbers, after: Numbers, height: float) -> float:
    """Share of values on their side of the middle of the step; the worse of both sides."""
    side = min(_SIDE, len(before), len(after))
    middle = (np.median(before[-2 * side :]) + np.median(after[: 2 * side])) / 2
    sign = np.sign(height)
    return float(min(np.mean(sign * (middle - before) > 0), np.mean(sign * (after - middle) > 0)))


def _deviations(logs: Numbers) -> tuple[Numbers, float]:
    """(signed robust z scores, spread)."""
    middle = np.median(logs)
    spread = max(_robust_sd(logs - middle), _SPREAD)
    return (logs - middle) / spread, spread


def _robust_sd(centred: Numbers) -> float:
    quartiles = np.percentile(centred, [25, 75])
    return max(float(np.median(np.abs(centred))) * 1.4826, float(np.ptp(quartiles)) / 1.349)


def _alone(logs: Numbers, deviations: Numbers, spread: float) -> Numbers:
    """Large values that are three times all others, where the spread makes that odd."""
    order = np.argsort(-logs, kind="stable")
    marks = np.zeros(len(logs), dtype=bool)
    for i in range(min(_TOP, len(logs) - 1), 0, -1):
        gap = logs[order[i - 1]] - logs[order[i]]
        if gap >= max(_ALONE, 2 * spread) and deviations[order[i - 1]] >= 5:
            marks[order[:i]] = True
            break
    return marks
