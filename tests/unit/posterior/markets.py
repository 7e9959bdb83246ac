"""Small simulated markets for the tests of the posterior."""

from __future__ import annotations

from typing import Any

import numpy as np

from job.posterior.market import MarketData


def make_market(*, seed: int = 1, periods: int = 104, media: int = 2, **changes: Any) -> MarketData:
    """Return a market whose media have a geometric carry-over and a ROAS of 2, 3, …"""
    random = np.random.default_rng(seed)
    spend = random.gamma(2.0, 50.0, (media, periods))
    target = 2000 + 100 * np.sin(2 * np.pi * np.arange(periods) / 52.18)
    for number, money in enumerate(spend):
        carried = np.convolve(money, 0.3 ** np.arange(10))[:periods]
        response = carried / (carried + np.median(carried))
        target = target + (2 + number) * money.sum() * response / response.sum()
    values: dict[str, Any] = {
        "target": target + random.normal(0, 10, periods),
        "exposure": spend,
        "spend": spend,
        "names": tuple(f"m{number}" for number in range(media)),
        "baseline": np.empty((0, periods)),
        "periods_per_year": 52.18,
    }
    return MarketData(**(values | changes))
