"""The numbers that the posterior is drawn from, as arrays: one row per modelled period."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Adstock = Literal["geometric", "weibull_cdf", "weibull_pdf"]


@dataclass(frozen=True, kw_only=True)
class MarketData:
    """One market.

    Rows before the modelled window serve the carry-over only: `exposure` has `before` more periods
    than `target`.

    Attributes:
        target: the target, of shape (periods,), in its own unit.
        exposure: what drives each medium, of shape (media, before + periods), 0 or more. Paid media
            come first, then organic media.
        spend: money per period of each paid medium, of shape (paid media, periods).
        names: the names of the media, in the order of `exposure`.
        baseline: columns besides trend and season, such as context, factors and holidays, of shape
            (columns, periods).
        periods_per_year: 52.18 for weeks, 365.25 for days, 12 for months.
        weekday: the day of the week of each period, 0 to 6, for daily data; None for others.
        adstock: the form of the carry-over.
        ranges: the user's own ranges of the parameters: {medium: {parameter: (low, high)}}, where a
            parameter is `theta`, `shape`, `scale`, `alpha` or `gamma`.
    """

    target: Array
    exposure: Array
    spend: Array
    names: tuple[str, ...]
    baseline: Array
    periods_per_year: float
    weekday: npt.NDArray[np.int64] | None = None
    adstock: Adstock = "geometric"
    ranges: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)

    @property
    def periods(self) -> int:
        """Return the number of modelled periods."""
        return len(self.target)

    @property
    def media(self) -> int:
        """Return the number of paid and organic media."""
        return len(self.exposure)

    @property
    def paid(self) -> int:
        """Return the number of paid media."""
        return len(self.spend)


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
    """

    media_share: float = 0.4
    typical_share: float = 0.2
    roas_level: float = 0.7
    roas_spread: float = 0.7
    no_effect: float = 0.08
    unseen_demand: float = 0.5
