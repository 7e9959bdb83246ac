"""Simulation-based calibration: `python -m bench.truth.ranks --markets 60`.

Markets are drawn from the model's own prior. If the chains draw from the posterior, the rank of
each true ROAS among its draws is uniform (Talts et al. 2018). Prints the ranks' tenths and their
chi-square.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

import numpy as np

from job.posterior.baseline import AUTOCORRELATIONS, make_baseline
from job.posterior.draws import draw
from job.posterior.market import Array, MarketData
from job.posterior.media import make_media
from job.posterior.priors import Priors, ScalePriors, log_prior_of_total

TENTHS = 10


def main() -> int:
    """Print the ranks of markets drawn from the prior; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markets", type=int, default=60)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--periods", type=int, default=104)
    parser.add_argument("--media", type=int, default=3)
    parser.add_argument("--sweeps", type=int, default=600)
    options = parser.parse_args()
    ranks = np.array(
        [
            ranks_of(seed, periods=options.periods, media=options.media, sweeps=options.sweeps)
            for seed in range(options.first, options.first + options.markets)
        ]
    ).ravel()
    counts = tenths(ranks)
    print(f"{len(ranks)} ranks, by tenths: {' '.join(map(str, counts))}")
    print(f"chi-square {chi_square(counts):.1f} on {TENTHS - 1}; 16.9 is exceeded in 5% of cases")
    return 0


def ranks_of(seed: int, *, periods: int, media: int, sweeps: int) -> Array:
    """Return the rank of each medium's true ROAS among its draws, between 0 and 1."""
    random, priors = np.random.default_rng(seed), Priors()
    market, truth = from_prior(random, priors, periods=periods, media=media)
    drawn = draw(market, seed=seed, priors=priors, sweeps=sweeps).roas(market).reshape(-1, media)
    below, equal = (drawn < truth).mean(0), (drawn == truth).mean(0)
    # A channel without effect has many equal draws.
    out: Array = below + random.random(media) * equal
    return out


def from_prior(
    random: np.random.Generator, priors: Priors, *, periods: int, media: int
) -> tuple[MarketData, Array]:
    """Return a market drawn from the prior, and its true ROAS."""
    spend = random.gamma(1.5, 1.0, (media, periods)) * random.uniform(0.5, 2, (media, 1))
    total = 100.0 * periods
    empty = MarketData(
        target=np.full(periods, total / periods),
        exposure=spend,
        spend=spend,
        names=tuple(f"m{number}" for number in range(media)),
        baseline=np.empty((0, periods)),
        periods_per_year=52.18,
    )
    share = _shares(random, empty, priors)
    forms, scales = make_media(empty), float(random.uniform(1.0, 5.0))
    target = np.zeros(periods)
    for medium in range(media):
        low, high = forms.low[medium], forms.high[medium]
        parameters = (low + (high - low) * random.random(len(low)))[None]
        delay = random.choice([0, 1, 2], p=[0.5, 0.25, 0.25], size=1)
        target += share[medium] * forms.response(medium, parameters, delay)[0]
    baseline, phi = make_baseline(empty, priors), random.integers(0, len(AUTOCORRELATIONS))
    deviations = baseline.deviations[phi].copy()
    deviations[0] = 0.0  # the level has no limit; it is what the sum leaves
    target += scales * baseline.columns @ (deviations * random.standard_normal(len(deviations)))
    target += scales * _noise(random, periods, float(AUTOCORRELATIONS[phi]))
    target += (total - target.sum()) / periods
    return replace(empty, target=target), share * total / spend.sum(1)


def tenths(ranks: Array) -> list[int]:
    """Return how many ranks are in each tenth."""
    return [int(count) for count in np.histogram(ranks, TENTHS, (0, 1))[0]]


def chi_square(counts: list[int]) -> float:
    """Return the chi-square of counts that should be equal."""
    expected = sum(counts) / len(counts)
    return float(sum((count - expected) ** 2 for count in counts) / expected)


def _shares(random: np.random.Generator, market: MarketData, priors: Priors) -> Array:
    scales = ScalePriors(market, priors)
    while True:
        level = random.normal(0, priors.roas_level, 1)
        spread = np.abs(random.normal(0, priors.roas_spread, 1))
        scale = scales.middle(level) + scales.spread(spread) * random.standard_normal(market.media)
        on = random.random(market.media) >= scales.no_effect
        share: Array = scales.typical * np.exp(scale) * on
        if np.log(random.random()) < log_prior_of_total(share, priors)[0]:
            return share[0]


def _noise(random: np.random.Generator, periods: int, phi: float) -> Array:
    """Return an AR(1) series whose innovations have the standard deviation 1."""
    out = np.empty(periods)
    out[0] = random.standard_normal() / np.sqrt(1 - phi**2)
    for period in range(1, periods):
        out[period] = phi * out[period - 1] + random.standard_normal()
    return out


if __name__ == "__main__":
    sys.exit(main())
