"""The part of the target that media do not explain: level, trend, season, events, unseen demand.

Its coefficients are normal, with standard deviations in units of the noise, and are integrated out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from job.posterior.market import Array, MarketData
from job.posterior.priors import ChannelPrior, Priors

AUTOCORRELATIONS = np.arange(10) / 10.0  # the grid of the noise's autocorrelation
_WAVES = 4  # cycles a year
_TREND, _HINGE, _WAVE, _WEEKDAY, _COLUMN = 32.0, 4.5, 10.0, 10.0, 10.0
_LEAST_DEMAND, _NO_DEMAND = 0.05, 1e-4


@dataclass(frozen=True)
class Baseline:
    """Columns of shape (periods, columns), and their prior standard deviations per autocorrelation.

    `deviations` has the shape (autocorrelations, columns), in units of the noise; the first column,
    the level, has no limit.
    """

    columns: Array
    deviations: Array


def make_baseline(market: MarketData, priors: Priors) -> Baseline:
    """Return the columns of the baseline, each scaled to a standard deviation of 1."""
    columns, deviations = season_and_trend(market)
    for column in market.baseline:
        columns.append(_standard(column))
        deviations.append(_COLUMN)
    fixed = np.tile(deviations, (len(AUTOCORRELATIONS), 1))
    demand = []
    for name, spend in zip(market.names, market.spend, strict=False):
        columns.append(_standard(np.log1p(spend / max(spend.mean(), 1e-300))))
        channel = priors.of_channel(name)
        demand.append([unseen_demand(phi, priors, channel) for phi in AUTOCORRELATIONS])
    return Baseline(
        columns=np.column_stack(columns),
        deviations=np.hstack([fixed, np.array(demand).reshape(-1, len(AUTOCORRELATIONS)).T]),
    )


def unseen_demand(autocorrelation: float, priors: Priors, channel: ChannelPrior) -> float:
    """Return the standard deviation of the effect of demand that spend follows and no column shows.

    Demand lasts for several periods, so demand that is missing from the model leaves autocorrelated
    noise. Where the noise is independent from period to period, there is little of it, unless the
    channel is known to follow demand.
    """
    if channel.follows_demand is False:
        return _NO_DEMAND
    memory = float(np.sqrt(autocorrelation / (1 - autocorrelation)))
    least = priors.unseen_demand if channel.follows_demand else _LEAST_DEMAND
    return least + priors.unseen_demand * memory


def season_and_trend(market: MarketData) -> tuple[list[Array], list[float]]:
    """Return the columns of level, trend and season, and their prior standard deviations."""
    time = np.arange(market.periods, dtype=float)
    columns, deviations = [np.ones(market.periods), _standard(time)], [np.inf, _TREND]
    step = max(2, round(market.periods_per_year / 2))
    for knot in range(step, market.periods - step // 2, step):
        columns.append(_standard(np.maximum(0, time - knot)))
        deviations.append(_HINGE)
    for cycles in range(1, _WAVES + 1):
        angle = 2 * np.pi * cycles * time / market.periods_per_year
        columns += [_standard(np.sin(angle)), _standard(np.cos(angle))]
        deviations += [_WAVE / cycles] * 2
    if market.weekday is not None:
        last = (market.weekday == 6).astype(float)
        columns += [_standard((market.weekday == day) - last) for day in range(6)]
        deviations += [_WEEKDAY] * 6
    return columns, deviations


def _standard(values: Array) -> Array:
    """Return the values with mean 0 and standard deviation 1; zeros if they do not vary."""
    centred: Array = values - values.mean()
    deviation = centred.std()
    return centred / deviation if deviation > 1e-12 * (1 + abs(values.mean())) else centred * 0.0


class Projection:
    """Inner products of columns after the baseline and the autocorrelation are taken out.

    For each autocorrelation of the grid, a column is whitened and its part that the baseline
    explains is removed: the product of `u` and `v` is `w(u)·w(v) - q(u)·q(v)`, where `q` has the
    coefficients in a basis of the baseline (Lindley and Smith 1972).

    Attributes:
        basis: of shape (autocorrelations, periods, columns).
        weight: the logarithm of the constant of the integrated likelihood, per autocorrelation.
        freedom: the number of periods less the columns without a limit.
    """

    def __init__(self, baseline: Baseline) -> None:
        bases, weights = [], []
        unlimited = np.isinf(baseline.deviations[0])
        for phi, deviations in zip(AUTOCORRELATIONS, baseline.deviations, strict=True):
            whitened = whiten(baseline.columns.T, phi).T
            precision = np.where(unlimited, 0.0, 1 / np.where(unlimited, 1, deviations) ** 2)
            root = np.linalg.cholesky(whitened.T @ whitened + np.diag(precision))
            bases.append(np.linalg.solve(root, whitened.T).T)
            weights.append(
                0.5 * np.log(1 - phi**2)
                - np.log(np.diag(root)).sum()
                + 0.5 * np.log(precision[~unlimited]).sum()
            )
        self.basis = np.array(bases)
        self.weight = np.array(weights)
        self.freedom = len(baseline.columns) - int(unlimited.sum())


def whiten(values: Array, autocorrelation: float | Array) -> Array:
    """Return the innovations of AR(1) series along the last axis.

    `autocorrelation` is a number, or an array that broadcasts over all axes but the last.
    """
    phi = np.asarray(autocorrelation, dtype=float)[..., None]
    out = np.empty_like(values)
    out[..., 1:] = values[..., 1:] - phi * values[..., :-1]
    out[..., :1] = values[..., :1] * np.sqrt(1 - phi**2)
    return out
