"""The response to media: carry-over, then saturation. Robyn's forms, with wider ranges.

A medium's parameters are a vector: those of the carry-over, then `alpha` and the logarithm of
`gamma`. Ranges are uniform priors; `gamma` is a share of the largest adstocked exposure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from job.posterior.market import Array, MarketData

Whole = npt.NDArray[np.int64]
DELAYS = (0, 1, 2)  # periods between exposure and effect, for the geometric carry-over
DELAY_PROBABILITIES = (0.5, 0.25, 0.25)
_ALPHA, _GAMMA = (0.5, 3.0), (0.05, 3.0)
_CARRYOVER = {
    "geometric": {"theta": (0.0, 0.85)},
    "weibull_cdf": {"shape": (0.01, 2.0), "scale": (0.0, 0.2)},
    "weibull_pdf": {"shape": (0.01, 10.0), "scale": (0.0, 0.2)},
}
_NEGLIGIBLE = 1e-3  # the carry-over ends where less than this share of a period's effect remains
_LONGEST = 60  # periods
_NOTHING = 1e-12  # an exposure, relative to the largest, that has no effect


@dataclass(frozen=True)
class Media:
    """The media of a market, ready to be turned into response columns.

    Attributes:
        low, high: the ranges of the parameters, of shape (media, parameters).
        lagged: the exposures of the last periods, of shape (media, lags, periods).
        geometric: whether the carry-over is geometric, with a delay; else Weibull.
        total: the sum of the target; a response column is scaled to it, so that its coefficient is
            the medium's share of the target.
    """

    low: Array
    high: Array
    lagged: Array
    adstock: str
    periods: int
    total: float

    def response(self, medium: int, parameters: Array, delay: Whole) -> Array:
        """Return response columns whose sum is `total`.

        Args:
            medium: the index of the medium.
            parameters: of shape (chains, parameters).
            delay: of shape (chains,), in periods.

        Returns:
            Columns of shape (chains, periods).
        """
        saturated = self.saturation(medium, parameters, delay)
        sums = np.maximum(saturated.sum(1, keepdims=True), 1e-300)
        column: Array = saturated * (self.total / sums)
        return column

    def immediate_response(self, medium: int, parameters: Array, delay: Whole) -> Array:
        """Return the response that each period has without carry-over, scaled as `response`."""
        sums = np.maximum(self.saturation(medium, parameters, delay).sum(1, keepdims=True), 1e-300)
        immediate = self.saturation(medium, parameters, delay, carry_over=False)
        column: Array = immediate * (self.total / sums)
        return column

    def saturation(
        self,
        medium: int,
        parameters: Array,
        delay: Whole,
        *,
        spend: float = 1.0,
        carry_over: bool = True,
        known: int | None = None,
    ) -> Array:
        """Return the saturation of each period, between 0 and 1, if `spend` times as much is spent.

        The half-way point stays where it is without the factor, and with carry-over; only the first
        `known` periods decide it, all if None.
        """
        weights = self.weights(parameters, delay)
        adstocked = weights @ self.lagged[medium]
        highest = np.maximum(adstocked[:, :known].max(1, keepdims=True), 1e-300)
        if not carry_over:
            first = np.arange(weights.shape[1]) == delay[:, None]
            adstocked = np.where(first, weights, 0.0) @ self.lagged[medium]
        logarithm = np.log(np.maximum(adstocked, _NOTHING * highest))
        logarithm -= np.log(highest / spend) + parameters[:, -1:]
        logarithm *= -parameters[:, -2:-1]
        out: Array = 1 / (1 + np.exp(logarithm))
        return out

    def weights(self, parameters: Array, delay: Whole) -> Array:
        """Return the weight of each lag, of shape (chains, lags)."""
        lags = np.arange(self.lagged.shape[1], dtype=float)
        if self.adstock == "geometric":
            since = lags - delay[:, None]
            theta = np.maximum(parameters[:, :1], 1e-12)
            weights: Array = np.where(since >= 0, theta ** np.maximum(since, 0), 0.0)
            return weights
        shape, scale = parameters[:, :1], parameters[:, 1:2]
        # Robyn's scale is a quantile of the window's periods.
        scale = np.maximum(1.0, 1 + scale * (self.periods - 1))
        ratio = (lags + 1) / scale
        if self.adstock == "weibull_cdf":
            survival = np.exp(-((lags[None, 1:] / scale) ** shape))
            ones = np.ones((len(parameters), 1))
            cumulative: Array = np.cumprod(np.hstack([ones, survival]), axis=1)
            return cumulative
        density = shape / scale * ratio ** (shape - 1) * np.exp(-(ratio**shape))
        lowest, highest = density.min(1, keepdims=True), density.max(1, keepdims=True)
        scaled: Array = (density - lowest) / np.maximum(highest - lowest, 1e-300)
        return scaled


def make_media(market: MarketData) -> Media:
    """Return the media of a market with their ranges; the user's ranges replace the defaults."""
    names = [*_CARRYOVER[market.adstock], "alpha", "gamma"]
    defaults = {**_CARRYOVER[market.adstock], "alpha": _ALPHA, "gamma": _GAMMA}
    ranges = np.array(
        [
            [market.ranges.get(medium, {}).get(name, defaults[name]) for name in names]
            for medium in market.names
        ]
    )
    ranges[:, -1] = np.log(ranges[:, -1])
    lags = _lags(market, float(ranges[:, 0, 1].max()))
    lagged = np.zeros((market.media, lags, market.periods))
    rows = market.exposure.shape[1]
    for medium, exposure in enumerate(market.exposure):
        scaled = exposure / max(float(exposure.mean()), 1e-300)
        for lag in range(min(lags, rows)):
            shifted = np.concatenate([np.zeros(lag), scaled[: rows - lag]])
            lagged[medium, lag] = shifted[-market.periods :]
    return Media(
        low=ranges[:, :, 0],
        high=ranges[:, :, 1],
        lagged=lagged,
        adstock=market.adstock,
        periods=market.periods,
        total=float(market.target.sum()),
    )


def _lags(market: MarketData, theta: float) -> int:
    """Return the number of lags that matter."""
    if market.adstock != "geometric":
        return min(int(market.exposure.shape[1]), _LONGEST)
    needed = int(np.ceil(np.log(_NEGLIGIBLE) / np.log(min(max(theta, 0.01), 0.95))))
    return min(int(market.exposure.shape[1]), needed + max(DELAYS) + 1)
