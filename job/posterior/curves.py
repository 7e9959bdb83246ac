"""Response curves: what each channel would have brought with another spend, as draws say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from job.posterior.draws import Draws
from job.posterior.market import MarketData
from job.posterior.media import make_media
from job.posterior.summary import Span, chosen_draws, span_of

FACTORS = tuple(round(0.1 * step, 1) for step in range(21))  # of the spend in the window
_DRAWS = 200


@dataclass(frozen=True, kw_only=True)
class Point:
    """What a channel brings in the window if it spends `factor` times as much in every period."""

    channel: str
    factor: float
    spend: float
    contribution: Span


def curves(draws: Draws, market: MarketData) -> Iterator[Point]:
    """Yield the points of each paid channel's response curve."""
    chosen = chosen_draws(draws, most=_DRAWS)
    media, spend = make_media(market), market.spend.sum(1)
    share = draws.share.reshape(-1, market.media)[chosen]
    parameters = draws.parameters.reshape(-1, *draws.parameters.shape[2:])[chosen]
    delay = draws.delay.reshape(-1, market.media)[chosen]
    for medium in range(market.paid):
        shape = parameters[:, medium], delay[:, medium]
        now = np.maximum(media.saturation(medium, *shape).sum(1), 1e-300)
        brought = share[:, medium] * float(market.target.sum())
        for factor in FACTORS:
            then = media.saturation(medium, *shape, spend=factor).sum(1) if factor else 0.0
            yield Point(
                channel=market.names[medium],
                factor=factor,
                spend=float(spend[medium]) * factor,
                contribution=span_of(brought * then / now),
            )
