"""Lift tests as part of the likelihood: a model must also predict what an experiment measured.

The lift that a model predicts is linear in the media's shares of the target. `LiftTests` returns
what one unit of a medium's share adds to each test, for the medium's present shape.
"""

from __future__ import annotations

import numpy as np

from job.posterior.market import Array, MarketData
from job.posterior.media import Media, Whole


class LiftTests:
    """The tests of a market, as arrays.

    Attributes:
        lift: the measured lifts, of shape (tests,), in the target's unit.
        precision: one divided by the squared standard errors; 0 for tests that do not count.
    """

    def __init__(self, market: MarketData, media: Media, *, count: bool = True) -> None:
        tests = market.tests
        self._media = media
        self.lift = np.array([test.lift for test in tests], dtype=float)
        errors = np.array([test.standard_error for test in tests], dtype=float)
        self.precision = 1 / errors**2 if count else np.zeros(len(tests))
        self._weights = np.array([test.periods for test in tests]).reshape(-1, market.periods)
        self._immediate = np.array([test.is_immediate for test in tests], dtype=bool)
        self._measures = np.array(
            [[medium in test.media for test in tests] for medium in range(market.media)], dtype=bool
        ).reshape(market.media, len(tests))

    def per_share(self, medium: int, parameters: Array, delay: Whole, column: Array) -> Array:
        """Return what a share of 1 adds to each test, of shape (chains, tests).

        Args:
            medium: the index of the medium.
            parameters: of shape (chains, parameters).
            delay: of shape (chains,).
            column: the medium's response, of shape (chains, periods).
        """
        measured = self._measures[medium]
        out = np.zeros((len(column), len(self.lift)))
        if measured.any():
            out = column @ self._weights.T * measured
        if (measured & self._immediate).any():
            immediate = self._media.immediate_response(medium, parameters, delay)
            out = np.where(self._immediate, immediate @ self._weights.T * measured, out)
        return out

    def log_likelihood(self, predicted: Array) -> Array:
        """Return the logarithm of the likelihood of lifts of shape (chains, tests)."""
        out: Array = -0.5 * (self.precision * (self.lift - predicted) ** 2).sum(1)
        return out
