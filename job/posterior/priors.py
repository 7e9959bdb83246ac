"""What the model assumes before it sees the data, per medium and in words of marketing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from job.posterior.market import Array, MarketData

MOST_SHARE = 0.9  # the largest share of the target that paid media may bring together
_ORGANIC_SHARE, _ORGANIC_LEVEL, _ORGANIC_SPREAD = 0.1, -1.5, 1.0


@dataclass(frozen=True, kw_only=True)
class ChannelPrior:
    """What is known about one channel before the data are seen.

    Attributes:
        roas: the median of its ROAS (target per unit of spend); None for the common prior.
        uncertainty: the standard deviation of the ROAS as a share of it.
        follows_demand: whether its spend follows demand that no column shows; None if unknown.
    """

    roas: float | None = None
    uncertainty: float = 0.5
    follows_demand: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Priors:
    """What the model assumes before it sees the data.

    Attributes:
        media_share: the share of the target that all paid media bring, a half-normal's standard
            deviation.
        typical_share: the share of the target that paid media bring if every channel's ROAS is
            typical; it sets the level of the typical ROAS.
        roas_level: the standard deviation of the logarithm of the typical ROAS.
        roas_spread: how far the logarithms of the channels' ROAS differ, a half-normal's standard
            deviation.
        no_effect: the probability that a channel has no effect.
        unseen_demand: how much spend may follow demand that no column measures, in units of the
            noise, where the noise is autocorrelated; see `baseline.unseen_demand`.
        channels: what is known about single channels, by name.
    """

    media_share: float = 0.4
    typical_share: float = 0.2
    roas_level: float = 0.7
    roas_spread: float = 0.7
    no_effect: float = 0.08
    unseen_demand: float = 0.5
    channels: Mapping[str, ChannelPrior] = field(default_factory=dict)

    def of_channel(self, name: str) -> ChannelPrior:
        """Return what is known about a channel."""
        return self.channels.get(name, ChannelPrior())


class ScalePriors:
    """The prior of every medium's scale, the logarithm of its share relative to a typical one.

    Paid media share a level and a spread, which the chains draw. A channel whose ROAS the config
    states, and organic media, have their own.

    Attributes:
        typical: the share of the target of a medium with the typical ROAS, of shape (media,).
        is_common: which media share level and spread, of shape (media,).
        no_effect: the probability that a medium has no effect, of shape (media,).
    """

    def __init__(self, market: MarketData, priors: Priors) -> None:
        spend, organic = market.spend.sum(1), market.media - market.paid
        paid = priors.typical_share * spend / spend.sum()
        self.typical = np.concatenate([paid, np.full(organic, _ORGANIC_SHARE)])
        self.is_common = np.arange(market.media) < market.paid
        self.no_effect = np.full(market.media, priors.no_effect)
        self._middle = np.full(market.media, _ORGANIC_LEVEL)
        self._spread = np.full(market.media, _ORGANIC_SPREAD)
        for medium, money in enumerate(spend):
            own = priors.of_channel(market.names[medium])
            if own.roas is None:
                continue
            share = own.roas * money / float(market.target.sum())
            self.is_common[medium], self.no_effect[medium] = False, 0.0
            self._middle[medium] = np.log(share / self.typical[medium])
            self._spread[medium] = np.sqrt(np.log1p(own.uncertainty**2))

    def middle(self, level: Array) -> Array:
        """Return the means of the scales for levels of shape (chains,), as (chains, media)."""
        return np.where(self.is_common, level[:, None], self._middle)

    def spread(self, spread: Array) -> Array:
        """Return the standard deviations of the scales, as `middle` does."""
        return np.where(self.is_common, spread[:, None], self._spread)


def log_prior_of_total(shares: Array, priors: Priors) -> Array:
    """Return the logarithm of the prior density of the share of all paid media, (chains,).

    `shares` has the shape (chains, paid media).
    """
    total = shares.sum(1)
    out: Array = np.where(total < MOST_SHARE, -0.5 * (total / priors.media_share) ** 2, -np.inf)
    return out


def draw_prior(
    market: MarketData, priors: Priors, *, seed: int, draws: int = 4000
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Return ROAS as the model expects them before it sees the data, and which draws count.

    Returns:
        ROAS of shape (draws, paid media), and a flag per draw: the others are so unlikely for the
        share of all paid media that the model leaves them out.
    """
    random, paid = np.random.default_rng(seed), market.paid
    scales = ScalePriors(market, priors)
    level = random.normal(0, priors.roas_level, draws)
    spread = np.abs(random.normal(0, priors.roas_spread, draws))
    middle, width = scales.middle(level)[:, :paid], scales.spread(spread)[:, :paid]
    scale = middle + width * random.standard_normal((draws, paid))
    on = random.random((draws, paid)) >= scales.no_effect[:paid]
    share = scales.typical[:paid] * np.exp(scale) * on
    kept = np.log(random.random(draws)) < log_prior_of_total(share, priors)
    roas: Array = share * float(market.target.sum()) / np.maximum(market.spend.sum(1), 1e-300)
    return roas, kept
