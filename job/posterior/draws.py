"""Draw from the posterior of a market."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from job.posterior.baseline import AUTOCORRELATIONS, Projection, make_baseline
from job.posterior.chains import Chains, Flags
from job.posterior.convergence import DOUBTFUL_R_HAT, r_hat
from job.posterior.market import Array, MarketData
from job.posterior.media import Whole, make_media
from job.posterior.memory import Memory
from job.posterior.priors import Priors
from job.posterior.steps import History, sweep

CHAINS = 16  # many chains side by side cost little more than one, and start apart
SWEEPS = 600
_ARRAYS = ("share", "on", "parameters", "delay", "autocorrelation", "predicted")
_KEEP_EVERY = 5
_LEAST_POWER = 0.02  # of the likelihood at the start; it is 1 from the first sixth on
_REMEMBER_EVERY = 4  # sweeps between two states of the history
_LEARN_EVERY = 20
_MOST_TIMES = 2  # as many sweeps as asked for, if the chains do not agree before


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
        sweeps: of each chain, of which the first third is not kept. Chains that do not agree then
            go on for as many again.
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
    history, memory = History(chains), Memory(chains)
    kept: list[tuple[int, tuple[Any, ...]]] = []
    for number in range(_MOST_TIMES * sweeps):
        if number == sweeps and _agree(kept, sweeps, market):
            break
        if number % 5 == 0:
            check()
        chains.power = min(1.0, _LEAST_POWER ** (1 - number / (sweeps // 6)))
        sweep(chains, history, memory, number)
        if number % _REMEMBER_EVERY == 0:
            history.add(chains)
        if number >= sweeps // 6:
            if number % 2 == 0:
                memory.add(chains)
            if number == sweeps or (number < sweeps // 3 and number % _LEARN_EVERY == 0):
                memory.learn(chains)
        if number >= sweeps // 3 and number % _KEEP_EVERY == 0:
            kept.append((number, _values(chains)))
    arrays = (np.array(values) for values in zip(*_later(kept, number), strict=True))
    return Draws(**dict(zip(_ARRAYS, arrays, strict=True)))


def _values(chains: Chains) -> tuple[Any, ...]:
    """Return copies of what `Draws` keeps of the present state, in the order of `_ARRAYS`."""
    state = chains.state
    return (
        chains.shares(),
        state.on.copy(),
        state.parameters.copy(),
        state.delay.copy(),
        AUTOCORRELATIONS[state.phi],
        chains.predicted.copy(),
    )


def _later(kept: list[tuple[int, tuple[Any, ...]]], last: int) -> list[tuple[Any, ...]]:
    """Return what was kept after the first third of the sweeps until `last`."""
    return [values for number, values in kept if number >= last // 3]


def _agree(kept: list[tuple[int, tuple[Any, ...]]], last: int, market: MarketData) -> bool:
    """Return whether the chains agree about each paid medium."""
    shares = np.array([values[0] for values in _later(kept, last)])
    return bool((r_hat(shares[..., : market.paid]) <= DOUBTFUL_R_HAT).all())
