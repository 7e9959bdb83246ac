"""Earlier shapes of each medium, as a density from which new ones are proposed.

Proposals that are drawn where the chains have been are often taken, and may go far. What is learned
changes only before draws are kept, so that these come from a chain with fixed steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from job.posterior.chains import Chains, Flags
from job.posterior.market import Array
from job.posterior.media import DELAY_PROBABILITIES, Whole

_STATES = 96  # of a medium; more cost time and gain little
_FROM_PRIOR = 0.15  # so that shapes without a neighbour are proposed, too
_SAME_DELAY = 0.9
_NARROWER = 0.8  # than the bandwidth for a normal density
_LEAST_WIDTH = 0.01


@dataclass(frozen=True, kw_only=True)
class _Kernels:
    """Centres in the unit cube of a medium's ranges, with a delay each, and their bandwidths."""

    centres: Array
    delay: Whole
    width: Array


class Memory:
    """What is known about the shapes of each medium while it has an effect."""

    def __init__(self, chains: Chains) -> None:
        media = chains.media
        self._low, self._range = media.low, np.maximum(media.high - media.low, 1e-300)
        self._is_free = media.high > media.low
        probabilities = DELAY_PROBABILITIES if media.adstock == "geometric" else (1.0,)
        self._delay_probabilities = np.array(probabilities)
        self._states: list[tuple[Array, Whole, Flags]] = []
        self._kernels: list[_Kernels | None] = [None] * chains.market.media

    def add(self, chains: Chains) -> None:
        """Remember the chains' present shapes."""
        state = chains.state
        unit = (state.parameters - self._low) / self._range
        self._states.append((unit, state.delay.copy(), state.on.copy()))

    def learn(self, chains: Chains) -> None:
        """Propose from the later half of what is remembered, from now on."""
        half = self._states[len(self._states) // 2 :]
        units, delays, on = (np.concatenate(values) for values in zip(*half, strict=True))
        for medium in range(chains.market.media):
            (found,) = on[:, medium].nonzero()
            if len(found) < _STATES:
                continue
            chosen = chains.random.choice(found, _STATES, replace=False)
            centres = units[chosen, medium]
            silverman = _STATES ** (-1 / (centres.shape[1] + 4))
            width = np.maximum(_NARROWER * silverman * centres.std(0), _LEAST_WIDTH)
            self._kernels[medium] = _Kernels(
                centres=centres, delay=delays[chosen, medium], width=width
            )

    def draw(self, chains: Chains, medium: int) -> tuple[Array, Whole]:
        """Return parameters, of shape (chains, parameters), and delays near earlier ones."""
        random, count = chains.random, chains.chains
        parameters, delay = chains.fresh_parameters(medium), chains.fresh_delay(count)
        known = self._kernels[medium]
        if known is None:
            return parameters, delay
        place = random.integers(0, _STATES, count)
        unit = np.abs(known.centres[place] + known.width * random.standard_normal(parameters.shape))
        unit = np.where(unit > 1, np.maximum(2 - unit, 0), unit)
        near = random.random(count) >= _FROM_PRIOR
        same = near & (random.random(count) < _SAME_DELAY)
        parameters = np.where(
            near[:, None], self._low[medium] + unit * self._range[medium], parameters
        )
        return parameters, np.where(same, known.delay[place], delay)

    def excess(self, medium: int, parameters: Array, delay: Whole) -> Array:
        """Return the logarithm of the density of `draw` over that of the prior, by chain."""
        known = self._kernels[medium]
        if known is None:
            return np.zeros(len(parameters))
        unit = ((parameters - self._low[medium]) / self._range[medium])[:, None]
        # What a kernel has beyond the unit cube is mirrored at its faces.
        kernel = sum(
            np.exp(-0.5 * ((unit - image) / known.width) ** 2)
            for image in (known.centres, -known.centres, 2 - known.centres)
        )
        kernel = kernel / (known.width * np.sqrt(2 * np.pi))
        density = np.prod(np.where(self._is_free[medium], kernel, 1.0), axis=-1)
        same = (delay[:, None] == known.delay) / self._delay_probabilities[delay][:, None]
        near = (density * (_SAME_DELAY * same + 1 - _SAME_DELAY)).mean(1)
        out: Array = np.log(_FROM_PRIOR + (1 - _FROM_PRIOR) * near)
        return out
