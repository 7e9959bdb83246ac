"""What the draws say: medians, intervals, what cannot be known, and whether the chains agree."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np

from job.posterior.draws import Draws
from job.posterior.market import Array, MarketData, Priors
from job.posterior.media import make_media

LEVEL = 0.9  # the share of the draws that an interval holds
LEAST_CERTAIN = 0.9  # statements are made from this probability on
MOST_DRAWS = 1000
NOT_IDENTIFIED = 0.75  # of the prior's interquartile range
KNOWN_SUM = -0.4  # a correlation of two channels' contributions
DOUBTFUL_R_HAT = 1.1
_PRIOR_DRAWS = 4000


@dataclass(frozen=True)
class Span:
    """A median and an interval that holds 90 % of the draws."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class ChannelSummary:
    """What the draws say about one paid channel, or about all of them (`name` is None)."""

    name: str | None
    spend: float
    roas: Span
    contribution: Span
    share: Span
    marginal_roas: Span
    no_effect: float
    is_identified: bool
    r_hat: float

    def cpa(self) -> tuple[float | None, float | None, float | None]:
        """Return median, lower and upper end of spend per unit of contribution."""
        return _inverse(self.roas.median), _inverse(self.roas.high), _inverse(self.roas.low)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two channels whose sum is known better than each of them."""

    channels: tuple[str, str]
    roas: Span


@dataclass(frozen=True, kw_only=True)
class Statement:
    """`better` returns more per unit of spend than `worse`, with this probability."""

    better: str
    worse: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the draws say about a market."""

    channels: tuple[ChannelSummary, ...]
    total: ChannelSummary
    pairs: tuple[Pair, ...]
    statements: tuple[Statement, ...]
    autocorrelation: float
    draws: int

    def to_dict(self) -> dict[str, object]:
        """Return the summary as JSON values."""
        return {"level": LEVEL, **asdict(self)}


@dataclass(frozen=True)
class Thinned:
    """At most MOST_DRAWS draws, of shape (draws, paid media)."""

    roas: Array
    contribution: Array
    marginal_roas: Array


def thin(draws: Draws, market: MarketData) -> Thinned:
    """Return evenly chosen draws of all chains, with marginal ROAS."""
    paid = market.paid
    share = draws.share.reshape(-1, market.media)
    chosen = np.unique(np.linspace(0, len(share) - 1, min(MOST_DRAWS, len(share))).astype(int))
    share = share[chosen, :paid]
    parameters = draws.parameters.reshape(len(draws.share) * draws.share.shape[1], market.media, -1)
    delay = draws.delay.reshape(-1, market.media)
    media, step = make_media(market), 0.01
    contribution = share * float(market.target.sum())
    roas = contribution / np.maximum(market.spend.sum(1), 1e-300)
    growth = np.empty_like(roas)
    for medium in range(paid):
        shape = parameters[chosen, medium], delay[chosen, medium]
        now = media.saturation(medium, *shape).sum(1)
        more = media.saturation(medium, *shape, spend=1 + step).sum(1)
        growth[:, medium] = (more - now) / np.maximum(now, 1e-300) / step
    return Thinned(roas=roas, contribution=contribution, marginal_roas=roas * growth)


def summarise(draws: Draws, market: MarketData, priors: Priors, *, seed: int) -> Summary:
    """Return what the draws say."""
    paid, thinned = market.paid, thin(draws, market)
    roas = draws.roas(market)
    flat = roas.reshape(-1, paid)
    target, spend = float(market.target.sum()), market.spend.sum(1)
    spread = _prior_spread(market, priors, seed=seed)
    r_hat = split_r_hat(np.log(np.maximum(roas, 1e-3 * flat.mean())))
    on = draws.on.reshape(-1, market.media)
    channels = tuple(
        ChannelSummary(
            name=market.names[medium],
            spend=float(spend[medium]),
            roas=_span(flat[:, medium]),
            contribution=_span(flat[:, medium] * spend[medium]),
            share=_span(flat[:, medium] * spend[medium] / target),
            marginal_roas=_span(thinned.marginal_roas[:, medium]),
            no_effect=float(1 - on[:, medium].mean()),
            is_identified=bool(_quartiles(flat[:, medium]) <= NOT_IDENTIFIED * spread[medium]),
            r_hat=float(r_hat[medium]),
        )
        for medium in range(paid)
    )
    everything = flat @ spend
    marginal = thinned.marginal_roas @ spend / spend.sum()
    total = ChannelSummary(
        name=None,
        spend=float(spend.sum()),
        roas=_span(everything / spend.sum()),
        contribution=_span(everything),
        share=_span(everything / target),
        marginal_roas=_span(marginal),
        no_effect=float(1 - on[:, :paid].any(1).mean()),
        is_identified=True,
        r_hat=float(split_r_hat(np.log((roas @ spend)[..., None] + 1e-300))[0]),
    )
    return Summary(
        channels=channels,
        total=total,
        pairs=tuple(_pairs(flat, spend, market.names)),
        statements=tuple(_statements(flat, market.names)),
        autocorrelation=float(draws.autocorrelation.mean()),
        draws=len(flat),
    )


def split_r_hat(values: Array) -> Array:
    """Return R-hat of the halves of every chain (Gelman et al. 2013, section 11.4).

    Args:
        values: of shape (draws, chains, quantities).
    """
    half = len(values) // 2
    parts = np.concatenate([values[:half], values[half : 2 * half]], axis=1)
    within = parts.var(0, ddof=1).mean(0)
    between = parts.mean(0).var(0, ddof=1)
    out: Array = np.sqrt((half - 1) / half + between / np.maximum(within, 1e-12))
    return out


def _inverse(value: float) -> float | None:
    return 1 / value if value > 0 else None


def _span(values: Array) -> Span:
    tail = (1 - LEVEL) / 2
    low, median, high = np.quantile(values, [tail, 0.5, 1 - tail])
    return Span(float(median), float(low), float(high))


def _quartiles(values: Array) -> float:
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low)


def _prior_spread(market: MarketData, priors: Priors, *, seed: int) -> Array:
    """Return the interquartile range of each channel's ROAS before the data are seen."""
    random, paid = np.random.default_rng(seed), market.paid
    level = random.normal(0, priors.roas_level, (_PRIOR_DRAWS, 1))
    spread = np.abs(random.normal(0, priors.roas_spread, (_PRIOR_DRAWS, 1)))
    scale = level + spread * random.standard_normal((_PRIOR_DRAWS, paid))
    on = random.random((_PRIOR_DRAWS, paid)) > priors.no_effect
    spend = market.spend.sum(1)
    share = priors.typical_share * spend / spend.sum() * np.exp(scale) * on
    total = share.sum(1)
    kept = np.log(random.random(_PRIOR_DRAWS)) < -0.5 * (total / priors.media_share) ** 2
    roas = share[kept & (total < 0.9)] * float(market.target.sum()) / np.maximum(spend, 1e-300)
    return np.array([_quartiles(roas[:, medium]) for medium in range(paid)])


def _pairs(roas: Array, spend: Array, names: tuple[str, ...]) -> list[Pair]:
    out = []
    with np.errstate(invalid="ignore"):
        correlation = np.nan_to_num(np.corrcoef(roas.T).reshape(len(spend), len(spend)))
    for one, other in combinations(range(len(spend)), 2):
        if correlation[one, other] < KNOWN_SUM:
            both = [one, other]
            together = roas[:, both] @ spend[both] / spend[both].sum()
            out.append(Pair(channels=(names[one], names[other]), roas=_span(together)))
    return out


def _statements(roas: Array, names: tuple[str, ...]) -> list[Statement]:
    out = []
    for one, other in combinations(range(roas.shape[1]), 2):
        above = float((roas[:, one] > roas[:, other]).mean())
        below = float((roas[:, one] < roas[:, other]).mean())
        if max(above, below) >= LEAST_CERTAIN:
            better, worse = (one, other) if above > below else (other, one)
            probability = max(above, below)
            out.append(Statement(better=names[better], worse=names[worse], probability=probability))
    return sorted(out, key=lambda statement: -statement.probability)
