"""Which lift test would help most: how much it would narrow the intervals of the best budget split.

For each draw, the budget of the window is split in the best way. A test of a channel measures its
ROAS. Its possible results are drawn from the posterior; each result weighs the draws anew, and the
weighted intervals of the split are narrower.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from job.posterior.draws import Draws
from job.posterior.market import Array, MarketData
from job.posterior.media import Whole, make_media
from job.posterior.summary import chosen_draws

_FACTORS = np.linspace(0.5, 2.0, 16)  # of a channel's spend, that the best split may choose
_DRAWS, _RESULTS = 400, 60
_TAIL = 0.05  # an interval holds 90%
_STEPS = 40  # of the bisection


@dataclass(frozen=True, kw_only=True)
class NextTest:
    """A possible lift test of a channel.

    `narrowing` is the expected share by which the intervals of the best split would get narrower.
    """

    channel: str
    narrowing: float


def next_tests(
    draws: Draws, market: MarketData, *, standard_error: float, seed: int
) -> tuple[NextTest, ...]:
    """Rank the channels by the use of a lift test, the most useful first.

    Args:
        draws: from the posterior.
        market: the data.
        standard_error: of the test, as a share of the channel's median ROAS.
        seed: of the random numbers.
    """
    if market.paid < 2:
        return ()
    chosen = chosen_draws(draws, most=_DRAWS)
    roas = draws.roas(market).reshape(-1, market.paid)[chosen]
    split = _best_split(draws, market, chosen)
    random = np.random.default_rng(seed)
    results = random.choice(len(roas), _RESULTS, replace=len(roas) < _RESULTS)
    before = _widths(split, np.full((1, len(roas)), 1 / len(roas)))[0]
    out = []
    for medium in range(market.paid):
        error = standard_error * max(float(np.median(roas[:, medium])), 0.05 * float(roas.mean()))
        measured = roas[results, medium] + error * random.standard_normal(_RESULTS)
        distance = (measured[:, None] - roas[None, :, medium]) / error
        weights = np.exp(-0.5 * (distance**2 - (distance**2).min(1, keepdims=True)))
        after = _widths(split, weights / weights.sum(1, keepdims=True)).mean()
        narrowing = 1 - float(after) / max(float(before), 1e-12)
        out.append(NextTest(channel=market.names[medium], narrowing=max(narrowing, 0.0)))
    return tuple(sorted(out, key=lambda test: -test.narrowing))


def _best_split(draws: Draws, market: MarketData, chosen: Whole) -> Array:
    """Return each channel's share of the budget in the best split, of shape (draws, paid media)."""
    media, spend, paid = make_media(market), market.spend.sum(1), market.paid
    share = draws.share.reshape(-1, market.media)[chosen]
    parameters = draws.parameters.reshape(-1, *draws.parameters.shape[2:])[chosen]
    delay = draws.delay.reshape(-1, market.media)[chosen]
    brought = np.empty((len(chosen), paid, len(_FACTORS)))
    for medium in range(paid):
        shape = parameters[:, medium], delay[:, medium]
        now = np.maximum(media.saturation(medium, *shape).sum(1), 1e-300)
        for place, factor in enumerate(_FACTORS):
            then = media.saturation(medium, *shape, spend=float(factor)).sum(1)
            brought[:, medium, place] = share[:, medium] * media.total * then / now
    money = spend[:, None] * _FACTORS
    # A price of money at which the channels together want to spend the budget.
    low, high = np.zeros(len(chosen)), np.full(len(chosen), float(np.max(brought) / np.min(money)))
    for _ in range(_STEPS):
        price = (low + high) / 2
        wanted = _wanted(brought, money, price)
        too_much = wanted.sum(1) > spend.sum()
        low, high = np.where(too_much, price, low), np.where(too_much, high, price)
    wanted = _wanted(brought, money, high)
    out: Array = wanted / wanted.sum(1, keepdims=True)
    return out


def _wanted(brought: Array, money: Array, price: Array) -> Array:
    """Return what each channel spends if a unit of money must bring `price`."""
    best = (brought - price[:, None, None] * money).argmax(2)
    return np.take_along_axis(np.broadcast_to(money, brought.shape), best[..., None], 2)[..., 0]


def _widths(split: Array, weights: Array) -> Array:
    """Return the mean width of the channels' intervals for each row of weights."""
    widths = []
    for medium in range(split.shape[1]):
        order = split[:, medium].argsort()
        values, sums = split[order, medium], np.cumsum(weights[:, order], axis=1)
        low = values[np.minimum((sums < _TAIL).sum(1), len(values) - 1)]
        high = values[np.minimum((sums < 1 - _TAIL).sum(1), len(values) - 1)]
        widths.append(high - low)
    out: Array = np.mean(widths, axis=0)
    return out
