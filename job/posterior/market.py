"""The numbers that the posterior is drawn from, as arrays: one row per modelled period."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Adstock = Literal["geometric", "weibull_cdf", "weibull_pdf"]


@dataclass(frozen=True, kw_only=True)
class LiftTest:
    """What an experiment measured.

    Attributes:
        number: its place in the config's `calibration`.
        media: the indices of the media that it tested together.
        periods: what part of each period's effect the test measured, of shape (periods,).
        lift: what they added to the target.
        standard_error: of the lift, above 0.
        is_immediate: whether the lift is without the carry-over from other periods.
    """

    number: int
    media: tuple[int, ...]
    periods: Array
    lift: float
    standard_error: float
    is_immediate: bool = False


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
        tests: the lift tests of the market.
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
    tests: tuple[LiftTest, ...] = ()

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
