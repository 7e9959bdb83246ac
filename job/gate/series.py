"""Checks of how a series runs: ends that stop, spend without exposure, outliers, new levels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from job.gate.data import Data
from job.gate.verdict import Finding, Outcome, count, days

_SIDE = 8  # periods on either side of a shift


def target_end(data: Data) -> Iterator[Finding]:
    """A target that is missing or zero at the end: late facts would be fitted as a collapse."""
    values = np.nan_to_num(data.values(data.target))
    tail = _trailing_zeros(values)
    if tail and tail < len(values) and not _has_run(values[: len(values) - tail], tail):
        ends = tuple(data.dates[-tail:])
        yield Finding(
            name="target_end",
            outcome=Outcome.BLOCK,
            figure=tail,
            threshold=0,
            columns=(data.target,),
            dates=ends,
            sentence=f"`{data.target}` is missing or zero in the last "
            f"{count(tail, data.period)} ({days(ends)}); set `date.end` before them or load them",
        )


def channel_stopped(data: Data) -> Iterator[Finding]:
    """A channel that ran nearly always and is silent at the end: a feed that broke?"""
    for column in data.media:
        values = np.nan_to_num(data.values(column))
        tail = _trailing_zeros(values)
        before = values[: len(values) - tail]
        if not before.size or tail < data.gate.max_zeros_at_end:
            continue
        quiet = 1 - np.count_nonzero(before) / len(before)
        if quiet < 0.05 and not _has_run(before, tail):
            ends = tuple(data.dates[-tail:])
            yield Finding(
                name="channel_stopped",
                outcome=Outcome.WARN,
                figure=tail,
                threshold=data.gate.max_zeros_at_end - 1,
                columns=(column,),
                dates=ends,
                sentence=f"`{column}` is zero in the last {count(tail, data.period)} (since "
                f"{ends[0]}) after running nearly always; did its feed stop?",
            )


def exposure(data: Data) -> Iterator[Finding]:
    """Spend without exposure and exposure without spend."""
    for channel in data.config.channels:
        if not channel.exposure or channel.exposure == channel.spend:
            continue
        spend = np.nan_to_num(data.values(channel.spend)) != 0
        shown = np.nan_to_num(data.values(channel.exposure)) != 0
        active = max(int(np.count_nonzero(spend | shown)), 1)
        for check, where, has, lacks in (
            ("spend_without_exposure", spend & ~shown, channel.spend, channel.exposure),
            ("exposure_without_spend", shown & ~spend, channel.exposure, channel.spend),
        ):
            number = int(np.count_nonzero(where))
            if number / active > data.gate.max_mismatch_share:
                when = tuple(d for d, odd in zip(data.dates, where, strict=True) if odd)
                yield Finding(
                    name=check,
                    outcome=Outcome.WARN,
                    figure=round(number / active, 4),
                    threshold=data.gate.max_mismatch_share,
                    columns=(channel.spend, channel.exposure),
                    dates=when,
                    sentence=f"channel `{channel.name}`: `{has}` has a value but `{lacks}` is zero "
                    f"in {number} of {count(active, data.period)} ({days(when)})",
                )


def outliers(data: Data) -> Iterator[Finding]:
    """Single values far from all others, on a scale of logarithms: wrong units, typing errors."""
    for column in data.numeric:
        values = data.values(column)
        score = outlier_scores(values)
        odd = np.flatnonzero(score > data.gate.outlier_score)
        if not 0 < odd.size <= max(3, 0.02 * len(values)):
            continue
        worst = int(odd[np.argmax(score[odd])])
        when = tuple(data.dates[i] for i in odd)
        middle = float(np.median(values[values > 0]))
        yield Finding(
            name="outliers",
            outcome=Outcome.WARN,
            figure=round(float(score[worst]), 1),
            threshold=data.gate.outlier_score,
            columns=(column,),
            dates=when,
            sentence=f"`{column}` is {values[worst]:,.6g} on {data.dates[worst]}, where "
            f"{middle:,.6g} is usual ({count(odd.size, 'outlier')}); is a unit or a digit wrong?",
        )


def outlier_scores(values: NDArray[Any]) -> NDArray[Any]:
    """Robust z scores of log values, zeros and missing values left out (score 0).

    The spread is at least 15 %, so that nearly constant series do not turn into outliers.
    """
    scores = np.zeros(len(values))
    with np.errstate(invalid="ignore"):
        used = values > 0
    if np.count_nonzero(used) < 12:
        return scores
    logs = np.log(values[used])
    middle = np.median(logs)
    quartiles = np.percentile(logs, [25, 75])
    spread = max(float(np.median(np.abs(logs - middle))) * 1.4826, np.ptp(quartiles) / 1.349, 0.15)
    scores[used] = np.abs(logs - middle) / spread
    return scores


def level_shift(data: Data) -> Iterator[Finding]:
    """A lasting jump of the level: another unit or currency, a changed definition."""
    for column in (data.target, *data.media):
        values = data.values(column)
        found = find_shift(values)
        if found is None:
            continue
        position, ratio = found
        if max(ratio, 1 / ratio) < data.gate.level_shift_ratio:
            continue
        yield Finding(
            name="level_shift",
            outcome=Outcome.WARN,
            figure=round(ratio, 3),
            threshold=data.gate.level_shift_ratio,
            columns=(column,),
            dates=(data.dates[position],),
            sentence=f"`{column}` runs at {ratio:.3g} times its former level since "
            f"{data.dates[position]}; did its unit, currency or definition change?",
        )


def find_shift(values: NDArray[Any]) -> tuple[int, float] | None:
    """Position and ratio of the clearest step in a series, None where there is no clear one.

    The step must stand out against the spread on both sides: four pooled standard deviations
    of the logarithms of what is not zero.
    """
    with np.errstate(invalid="ignore"):
        used = np.flatnonzero(values > 0)
    if len(used) < 2 * _SIDE:
        return None
    logs = np.log(values[used])
    n = len(logs)
    cuts = np.arange(_SIDE, n - _SIDE + 1)
    sums, squares = np.cumsum(logs), np.cumsum(logs**2)
    left_mean = sums[cuts - 1] / cuts
    right_mean = (sums[-1] - sums[cuts - 1]) / (n - cuts)
    within = squares[-1] - cuts * left_mean**2 - (n - cuts) * right_mean**2
    best = int(np.argmin(within))
    cut = int(cuts[best])
    spread = max(float(np.sqrt(max(within[best], 0.0) / (n - 2))), 0.05)
    step = float(np.median(logs[cut:]) - np.median(logs[:cut]))
    if abs(step) < 4 * spread:
        return None
    return int(used[cut]), float(np.exp(step))


def _trailing_zeros(values: NDArray[Any]) -> int:
    nonzero = np.flatnonzero(values)
    return len(values) - (int(nonzero[-1]) + 1 if nonzero.size else 0)


def _has_run(values: NDArray[Any], length: int) -> bool:
    """Whether `length` zeros in a row occur."""
    zeros = np.concatenate([[0], (values == 0).astype(int), [0]])
    edges = np.flatnonzero(np.diff(zeros))
    return bool((edges[1::2] - edges[::2] >= length).any())


CHECKS = (target_end, channel_stopped, exposure, outliers, level_shift)
