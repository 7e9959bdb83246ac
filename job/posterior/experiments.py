"""Turn the config's lift tests into what the posterior compares its media with."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pandas as pd

from contract.calibration import Calibration
from job.posterior.market import Array, LiftTest

_LEAST_CONFIDENCE, _MOST_CONFIDENCE = 0.01, 0.9999


def lift_tests(
    tests: Sequence[Calibration],
    *,
    names: Sequence[str],
    starts: pd.DatetimeIndex,
    end: pd.Timestamp,
    spend: Array,
) -> tuple[tuple[LiftTest, ...], list[str]]:
    """Return the tests that can be compared, and a sentence about each of the others.

    A test measures what its own spend returned. Where the data have another spend for its days, for
    example because it ran in a few regions, the model's effect is scaled by the ratio of the two.

    Args:
        tests: the config's lift tests.
        names: of the media, paid ones first.
        starts: the first day of each modelled period.
        end: the day after the last period.
        spend: of the paid media, of shape (paid media, periods).
    """
    out, left_out = [], []
    for number, test in enumerate(tests):
        found = [names.index(name) for name in test.channels if name in names]
        periods = _parts(test, starts, end)
        paid = [medium for medium in found if medium < len(spend)]
        money = float(spend[paid].sum(0) @ periods)
        problem = None
        if len(found) < len(test.channels):
            problem = "a channel that it names has no spend in the modelled periods"
        elif not periods.any():
            problem = "none of its days is in the modelled periods"
        elif len(paid) == len(found) and not (money > 0 and test.spend > 0):
            problem = f"the data's spend in its days is {money:g}, its own {test.spend:g}"
        if problem:
            left_out.append(
                f"the posterior leaves out the lift test `calibration[{number}]`: {problem}"
            )
            continue
        scale = test.spend / money if len(paid) == len(found) else 1.0
        out.append(
            LiftTest(
                number=number,
                media=tuple(found),
                periods=periods * scale,
                lift=test.lift,
                standard_error=standard_error(test),
                is_immediate=test.scope == "immediate",
            )
        )
    return tuple(out), left_out


def standard_error(test: Calibration) -> float:
    """Return the standard error of a lift: the config's, or the one that fits its confidence.

    The confidence is one minus the p-value of a two-sided test of no effect.
    """
    if test.standard_error is not None:
        return test.standard_error
    confidence = min(max(test.confidence, _LEAST_CONFIDENCE), _MOST_CONFIDENCE)
    return abs(test.lift) / NormalDist().inv_cdf((1 + confidence) / 2)


def _parts(test: Calibration, starts: pd.DatetimeIndex, end: pd.Timestamp) -> Array:
    """Return the part of each period's days that a test covers."""
    first = starts.to_numpy().astype("datetime64[D]")
    after = np.append(first[1:], np.datetime64(end.date()))
    day_after = np.datetime64(test.end) + np.timedelta64(1, "D")
    covered = np.minimum(after, day_after) - np.maximum(first, np.datetime64(test.start))
    out: Array = np.maximum(covered.astype(float), 0.0) / (after - first).astype(float)
    return out
