"""What another split of the budget would bring: the stored draws and curves of a run.

The curves hold the median response at each multiple of a channel's spend, and the draws hold each
draw's contribution and the slope at today's spend. A draw's response follows a saturating curve
through its own contribution with its own slope; all draws are then scaled so that their median is
the stored curve. Draws with one number belong together, so a sum over channels keeps what the data
cannot separate.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from contract.exceptions import ConfigError
from contract.printable import short
from contract.stores import Store
from contract.suggest import did_you_mean
from mmm import artifacts
from mmm.runs import Run

MOST = 2.0  # the largest multiple of the stored curves
_LEVEL = (0.05, 0.5, 0.95)
_LEAST_SLOPE, _MOST_SLOPE = 0.02, 1.9  # of a response relative to its mean response
Array = np.ndarray[Any, np.dtype[np.float64]]


class Interval(BaseModel, frozen=True):
    """The median of the draws, and the ends of their 90% interval."""

    median: float
    low: float
    high: float


class ChannelBudget(BaseModel, frozen=True):
    """A channel's spend in the window, today and then, and what it brings."""

    channel: str
    factor: float
    spend_now: float
    spend_then: float
    contribution_now: Interval
    contribution_then: Interval


class WhatIf(BaseModel, frozen=True):
    """Another budget: what `mmm budget` prints with --json.

    Attributes:
        run_id: the run whose draws these are.
        channels: each paid channel.
        change: of the target in the window, against today's budget.
        chance: the probability that the target grows.
        chance_to_pay: that it grows by more than the spend does; None without more spend.
    """

    run_id: str
    channels: list[ChannelBudget]
    change: Interval
    chance: float
    chance_to_pay: float | None

    @property
    def spend_change(self) -> float:
        """How much more is spent in the window."""
        return sum(one.spend_then - one.spend_now for one in self.channels)


@dataclass(frozen=True, kw_only=True)
class Curves:
    """The stored curves and draws of a run, by channel.

    Attributes:
        factors: multiples of today's spend, ascending; `medians` has the response at each.
        contribution, slope: of each draw, the slope per unit of spend.
    """

    run_id: str
    spend: Mapping[str, float]
    factors: Mapping[str, Array]
    medians: Mapping[str, Array]
    contribution: Mapping[str, Array]
    slope: Mapping[str, Array]


def read_curves(store: Store, run: Run) -> Curves:
    """Return the curves and draws of a run.

    Raises:
        ConfigError: the run has none, e.g. because it has no posterior.
    """
    curves, draws = (
        pd.read_parquet(io.BytesIO(artifacts.read(store, run, f"tables/{name}.parquet")))
        for name in ("posterior_curves", "posterior_draws")
    )
    if curves.empty or draws.empty:
        raise ConfigError(f"run {run.run_id} has no curves; train with `posterior.enabled: true`")
    wide = {
        column: draws.pivot_table(index="draw", columns="channel", values=column)
        for column in ("contribution", "marginal_roas")
    }
    by_channel = {
        str(name): rows.sort_values("spend_factor")
        for name, rows in curves.groupby("channel", sort=False)
    }
    return Curves(
        run_id=run.run_id,
        spend={
            n: float(np.interp(1.0, r["spend_factor"], r["spend"])) for n, r in by_channel.items()
        },
        factors={n: r["spend_factor"].to_numpy(float) for n, r in by_channel.items()},
        medians={n: r["contribution"].to_numpy(float) for n, r in by_channel.items()},
        contribution={n: wide["contribution"][n].to_numpy(float) for n in by_channel},
        slope={n: wide["marginal_roas"][n].to_numpy(float) for n in by_channel},
    )


def what_if(curves: Curves, factors: Mapping[str, float]) -> WhatIf:
    """Return what the budget brings if each channel's spend is multiplied by its factor.

    Raises:
        ConfigError: a channel is not known, or a factor is outside the stored curves.
    """
    for name, factor in factors.items():
        if name not in curves.spend:
            allowed = ", ".join(curves.spend)
            hint = did_you_mean(name, list(curves.spend))
            raise ConfigError(f"there is no channel `{short(name)}`; allowed: {allowed}.{hint}")
        if not 0 <= factor <= MOST:
            raise ConfigError(
                f"`{short(name)}` is {factor:g} times today's spend; allowed: 0 to {MOST:g}, "
                "because the curves end there"
            )
    channels, change = [], np.zeros(len(next(iter(curves.contribution.values()))))
    for name in curves.spend:
        factor = factors.get(name, 1.0)
        now, then = (_response(curves, name, f) for f in (1.0, factor))
        change += then - now
        channels.append(
            ChannelBudget(
                channel=name,
                factor=factor,
                spend_now=curves.spend[name],
                spend_then=curves.spend[name] * factor,
                contribution_now=_interval(now),
                contribution_then=_interval(then),
            )
        )
    more = sum(one.spend_then - one.spend_now for one in channels)
    return WhatIf(
        run_id=curves.run_id,
        channels=channels,
        change=_interval(change),
        chance=float(np.mean(change > 0)),
        chance_to_pay=float(np.mean(change > more)) if more > 0 else None,
    )


def _response(curves: Curves, name: str, factor: float) -> Array:
    """Return the contribution of each draw at a multiple of today's spend."""
    if factor == 0:
        return np.zeros_like(curves.contribution[name])
    level = curves.contribution[name]
    bend = np.clip(
        curves.slope[name] * curves.spend[name] / np.maximum(level, 1e-12),
        _LEAST_SLOPE,
        _MOST_SLOPE,
    )
    drawn = level * factor / (bend + (1 - bend) * factor)
    stored = float(np.interp(factor, curves.factors[name], curves.medians[name]))
    today = float(np.interp(1.0, curves.factors[name], curves.medians[name]))
    median, median_now = float(np.median(drawn)), float(np.median(level))
    if median <= 0 or today <= 0:
        return drawn
    return drawn * (stored / today) / (median / median_now)


def _interval(values: Array) -> Interval:
    low, median, high = (float(x) for x in np.quantile(values, _LEVEL))
    return Interval(median=median, low=low, high=high)
