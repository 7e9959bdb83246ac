"""Draw from the posterior of a market."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from job.posterior.baseline import AUTOCORRELATIONS, Projection, make_baseline
from job.posterior.chains import Chains, Flags
from job.posterior.market import Array, MarketData, Priors
from job.posterior.media import Whole, make_media
from job.posterior.steps import History, sweep


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long to draw: `sweeps` of each chain, of which the first `burn_in` are not kept."""

    chains: int = 24
    sweeps: int = 700
    burn_in: int = 250
    every: int = 5


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Draws of all chains.

    Attributes:
        share: every medium's share of the target, of shape (draws, chains, media).
        on: whether the medium has an effect, of the same shape.
        parameters: of shape (draws, chains, media, parameters).
        delay: of shape (draws, chains, media), in periods.
        autocorrelation: of the noise, of shape (draws, chains).
    """

    share: Array
    on: Flags
    parameters: Array
    delay: Whole
    autocorrelation: Array

    def roas(self, market: MarketData) -> Array:
        """Return the ROAS of each paid medium, of shape (draws, chains, paid media)."""
        spend = market.spend.sum(1)
        out: Array = self.share[..., : market.paid] * float(market.target.sum()) / spend
        return out


def draw(
    market: MarketData,
    *,
    seed: int,
    priors: Priors | None = None,
    effort: Effort | None = None,
    check: Callable[[], None] = lambda: None,
) -> Draws:
    """Draw from the posterior of a market. The same seed gives the same draws.

    `check` is called now and then; what it raises ends the drawing.
    """
    priors, effort = priors or Priors(), effort or Effort()
    projection = Projection(make_baseline(market, priors))
    chains = Chains(
        market,
        make_media(market),
        projection,
        priors,
        chains=effort.chains,
        random=np.random.default_rng(seed),
    )
    history, kept = History(chains), []
    for number in range(effort.sweeps):
        if number % 20 == 0:
            check()
        sweep(chains, history, number)
        if number % 4 == 0:
            history.add(chains)
        if number >= effort.burn_in and (number - effort.burn_in) % effort.every == 0:
            state = chains.state
            kept.append(
                (
                    chains.shares(),
                    state.on.copy(),
                    state.parameters.copy(),
                    state.delay.copy(),
                    AUTOCORRELATIONS[state.phi],
                )
            )
    share, on, parameters, delay, autocorrelation = (
        np.array(values) for values in zip(*kept, strict=True)
    )
    return Draws(
        share=share, on=on, parameters=parameters, delay=delay, autocorrelation=autocorrelation
    )
