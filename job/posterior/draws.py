"""Draw from the posterior of a market."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from job.posterior.baseline import AUTOCORRELATIONS, Projection, make_baseline
from job.posterior.chains import Chains, Flags
from job.posterior.market import Array, MarketData
from job.posterior.media import Whole, make_media
from job.posterior.priors import Priors
from job.posterior.steps import History, sweep

CHAINS = 16  # many chains side by side cost little more than one, and start apart
SWEEPS = 800
_ARRAYS = ("share", "on", "parameters", "delay", "autocorrelation", "predicted")
_KEEP_EVERY = 5
_LEAST_POWER = 0.02  # of the likelihood at the start; it is 1 from the first sixth on
_REMEMBER_EVERY = 4  # sweeps between two states of the history


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Draws of all chains.

    Attributes:
        share: every medium's share of the target, of shape (draws, chains, media).
        on: whether the medium has an effect, of the same shape.
        parameters: of shape (draws, chains, media, parameters).
        delay: of shape (draws, chains, media), in periods.
        autocorrelation: of the noise, of shape (draws, chains).
        predicted: the lifts that the draws predict, of shape (draws, chains, tests).
    """

    share: Array
    on: Flags
    parameters: Array
    delay: Whole
    autocorrelation: Array
    predicted: Array

    def save(self, path: Path) -> None:
        """Write the draws to a file."""
        with path.open("wb") as file:
            np.savez_compressed(file, **{name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def load(cls, path: Path) -> Draws:
        """Read the draws that `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            return cls(**{name: file[name] for name in _ARRAYS})

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
    sweeps: int = SWEEPS,
    count_tests: bool = True,
    check: Callable[[], None] = lambda: None,
) -> Draws:
    """Draw from the posterior of a market. The same seed gives the same draws.

    Args:
        market: the data.
        seed: of the random numbers.
        priors: the assumptions; the defaults if None.
        sweeps: of each chain, of which the first third is not kept.
        count_tests: whether the lift tests count; if not, the draws say what was known before them.
        check: is called now and then; what it raises ends the drawing.
    """
    priors = priors or Priors()
    projection = Projection(make_baseline(market, priors))
    chains = Chains(
        market,
        make_media(market),
        projection,
        priors,
        chains=CHAINS,
        random=np.random.default_rng(seed),
        count_tests=count_tests,
    )
    history, kept = History(chains), []
    for number in range(sweeps):
        if number % 20 == 0:
            check()
        chains.power = min(1.0, _LEAST_POWER ** (1 - number / (sweeps // 6)))
        sweep(chains, history, number)
        if number % _REMEMBER_EVERY == 0:
            history.add(chains)
        if number >= sweeps // 3 and number % _KEEP_EVERY == 0:
            state = chains.state
            kept.append(
                (
                    chains.shares(),
                    state.on.copy(),
                    state.parameters.copy(),
                    state.delay.copy(),
                    AUTOCORRELATIONS[state.phi],
                    chains.predicted.copy(),
                )
            )
    arrays = (np.array(values) for values in zip(*kept, strict=True))
    return Draws(**dict(zip(_ARRAYS, arrays, strict=True)))
