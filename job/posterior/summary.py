"""What the draws say: medians, intervals, what cannot be known, and whether the chains agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from job.posterior.baseline import season_and_trend
from job.posterior.convergence import effective_draws, r_hat
from job.posterior.draws import Draws
from job.posterior.market import Array, MarketData
from job.posterior.media import make_media
from job.posterior.priors import Priors, draw_prior

LEVEL = 0.9  # the share of the draws that an interval holds
LEAST_CERTAIN = 0.9  # statements are made from this probability on
MOST_DRAWS = 1000
NOT_IDENTIFIED = 0.75  # of the prior's interquartile range
NOT_IDENTIFIED_ALONE = 0.5  # the same for a channel that shares a known sum with another one
KNOWN_SUM = -0.4  # a correlation of two channels' contributions
BOUGHT_TOGETHER = 0.9  # a correlation of two channels' exposures, without trend and season
LEAST_VARIATION = 0.02  # of an exposure without trend and season, as a share of its mean


@dataclass(frozen=True)
class Span:
    """A median and an interval that holds 90% of the draws."""

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
    carry_over: Span | None
    no_effect: float
    is_identified: bool
    r_hat: float
    effective_draws: float

    def cpa(self) -> tuple[float | None, float | None, float | None]:
        """Return median, lower and upper end of spend per unit of contribution."""
        return _inverse(self.roas.median), _inverse(self.roas.high), _inverse(self.roas.low)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two channels whose sum is known better than each of them.

    They are bought together, or draws with more of one have less of the other.
    """

    channels: tuple[str, str]
    roas: Span


@dataclass(frozen=True, kw_only=True)
class Statement:
    """`better` returns more per unit of spend than `worse`, with this probability."""

    better: str
    worse: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class LiftTestSummary:
    """A lift test, and the lift that the draws expect, without all tests and with them.

    `number` is its place in the config's `calibration`, from 0.
    """

    number: int
    lift: float
    standard_error: float
    before: Span
    after: Span


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the draws say about a market."""

    channels: tuple[ChannelSummary, ...]
    total: ChannelSummary
    pairs: tuple[Pair, ...]
    statements: tuple[Statement, ...]
    tests: tuple[LiftTestSummary, ...]
    autocorrelation: float
    draws: int

    def to_dict(self) -> dict[str, object]:
        """Return the summary as JSON values."""
        return {"level": LEVEL, **asdict(self)}


@dataclass(frozen=True)
class Thinned:
    """At most MOST_DRAWS draws, of shape (draws, paid media).

    `carry_over` is the share of the effect that comes after the period of the spend, before
    saturation.
    """

    roas: Array
    contribution: Array
    marginal_roas: Array
    carry_over: Array


def chosen_draws(draws: Draws, *, most: int) -> npt.NDArray[np.int64]:
    """Return the numbers of evenly chosen draws of all chains."""
    number = draws.share.shape[0] * draws.share.shape[1]
    return np.unique(np.linspace(0, number - 1, min(most, number)).astype(np.int64))


def thin(draws: Draws, market: MarketData) -> Thinned:
    """Return evenly chosen draws of all chains, with marginal ROAS and carry-over."""
    paid, chosen = market.paid, chosen_draws(draws, most=MOST_DRAWS)
    share = draws.share.reshape(-1, market.media)[chosen, :paid]
    parameters = draws.parameters.reshape(-1, *draws.parameters.shape[2:])
    delay = draws.delay.reshape(-1, market.media)
    media, step = make_media(market), 0.01
    contribution = share * float(market.target.sum())
    roas = contribution / np.maximum(market.spend.sum(1), 1e-300)
    growth, carry_over = np.empty_like(roas), np.empty_like(roas)
    for medium in range(paid):
        shape = parameters[chosen, medium], delay[chosen, medium]
        now = media.saturation(medium, *shape).sum(1)
        more = media.saturation(medium, *shape, spend=1 + step).sum(1)
        growth[:, medium] = (more - now) / np.maximum(now, 1e-300) / step
        weights = media.weights(*shape)
        carry_over[:, medium] = 1 - weights[:, 0] / np.maximum(weights.sum(1), 1e-300)
    return Thinned(
        roas=roas,
        contribution=contribution,
        marginal_roas=roas * growth,
        carry_over=carry_over,
    )


def summarise(
    draws: Draws,
    market: MarketData,
    priors: Priors,
    *,
    seed: int,
    without_tests: Draws | None = None,
) -> Summary:
    """Return what the draws say; `without_tests` are draws in which no lift test counts."""
    paid, thinned = market.paid, thin(draws, market)
    roas = draws.roas(market)
    flat = roas.reshape(-1, paid)
    target, spend = float(market.target.sum()), market.spend.sum(1)
    spread = _prior_spread(market, priors, seed=seed)
    agreement, effective = r_hat(roas), effective_draws(roas)
    on = draws.on.reshape(-1, market.media)
    own = _own_variation(market)
    pairs = tuple(_pairs(flat, market, own))
    together = {name for pair in pairs for name in pair.channels}
    limits = [
        NOT_IDENTIFIED_ALONE if name in together else NOT_IDENTIFIED for name in market.names[:paid]
    ]
    known = [medium for test in market.tests if len(test.media) == 1 for medium in test.media]
    channels = tuple(
        ChannelSummary(
            name=market.names[medium],
            spend=float(spend[medium]),
            roas=span_of(flat[:, medium]),
            contribution=span_of(flat[:, medium] * spend[medium]),
            share=span_of(flat[:, medium] * spend[medium] / target),
            marginal_roas=span_of(thinned.marginal_roas[:, medium]),
            carry_over=span_of(thinned.carry_over[:, medium]),
            no_effect=float(1 - on[:, medium].mean()),
            is_identified=(medium in known or bool(own[:, medium].any()))
            and bool(_quartiles(flat[:, medium]) <= limits[medium] * spread[medium]),
            r_hat=float(agreement[medium]),
            effective_draws=float(effective[medium]),
        )
        for medium in range(paid)
    )
    everything, all_roas = flat @ spend, (roas @ spend)[..., None]
    marginal = thinned.marginal_roas @ spend / spend.sum()
    total = ChannelSummary(
        name=None,
        spend=float(spend.sum()),
        roas=span_of(everything / spend.sum()),
        contribution=span_of(everything),
        share=span_of(everything / target),
        marginal_roas=span_of(marginal),
        carry_over=None,
        no_effect=float(1 - on[:, :paid].any(1).mean()),
        is_identified=True,
        r_hat=float(r_hat(all_roas)[0]),
        effective_draws=float(effective_draws(all_roas)[0]),
    )
    return Summary(
        channels=channels,
        total=total,
        pairs=pairs,
        statements=tuple(_statements(flat, market.names)),
        tests=tuple(_tests(draws, without_tests or draws, market)),
        autocorrelation=float(draws.autocorrelation.mean()),
        draws=len(flat),
    )


def _tests(draws: Draws, without_tests: Draws, market: MarketData) -> Iterator[LiftTestSummary]:
    for place, test in enumerate(market.tests):
        yield LiftTestSummary(
            number=test.number,
            lift=test.lift,
            standard_error=test.standard_error,
            before=span_of(without_tests.predicted[..., place]),
            after=span_of(draws.predicted[..., place]),
        )


def _inverse(value: float) -> float | None:
    return 1 / value if value > 0 else None


def span_of(values: Array) -> Span:
    """Return median and interval of draws."""
    tail = (1 - LEVEL) / 2
    low, median, high = np.quantile(values, [tail, 0.5, 1 - tail])
    return Span(float(median), float(low), float(high))


def _quartiles(values: Array) -> float:
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low)


def _prior_spread(market: MarketData, priors: Priors, *, seed: int) -> Array:
    """Return the interquartile range of each channel's ROAS before the data are seen."""
    roas, kept = draw_prior(market, priors, seed=seed)
    return np.array([_quartiles(roas[kept, medium]) for medium in range(market.paid)])


def _pairs(roas: Array, market: MarketData, own: Array) -> list[Pair]:
    out, spend = [], market.spend.sum(1)
    draws, bought = _correlations(roas), _correlations(own)
    for one, other in combinations(range(len(spend)), 2):
        if draws[one, other] < KNOWN_SUM or bought[one, other] > BOUGHT_TOGETHER:
            both = [one, other]
            together = roas[:, both] @ spend[both] / spend[both].sum()
            names = market.names[one], market.names[other]
            out.append(Pair(channels=names, roas=span_of(together)))
    return out


def _correlations(columns: Array) -> Array:
    """Return the correlations of columns; 0 where one does not vary."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.corrcoef(columns.T).reshape(columns.shape[1], columns.shape[1])
    return np.nan_to_num(found)


def _own_variation(market: MarketData) -> Array:
    """Return the paid exposures without trend and season, of shape (periods, paid).

    A channel that spends the same amount, or the same amount each season, has none: 0.
    """
    basis, _ = np.linalg.qr(np.column_stack(season_and_trend(market)[0]))
    exposure = market.exposure[: market.paid, -market.periods :].T
    left = exposure - basis @ (basis.T @ exposure)
    return np.where(left.std(0) > LEAST_VARIATION * exposure.mean(0), left, 0.0)


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
