"""The posterior finds the truth of markets that follow its model, and is repeatable."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contract.exceptions import CancelledError
from job.posterior.draws import Draws, draw
from job.posterior.market import LiftTest
from job.posterior.priors import Priors
from job.posterior.summary import summarise
from tests.unit.posterior.markets import make_market


def test_the_intervals_hold_the_truth_of_a_clear_market() -> None:
    market = make_market(periods=156)
    summary = summarise(draw(market, seed=1, sweeps=300), market, Priors(), seed=1)
    for channel, truth in zip(summary.channels, (2.0, 3.0), strict=True):
        assert channel.roas.low < truth < channel.roas.high
        assert channel.roas.high - channel.roas.low < 1.5 * truth
        assert channel.is_identified
        assert channel.no_effect < 0.05
    brought = 2 * market.spend[0].sum() + 3 * market.spend[1].sum()
    assert summary.total.contribution.median == pytest.approx(brought, rel=0.15)


def test_the_same_seed_gives_the_same_draws() -> None:
    market = make_market()
    one, other = (draw(market, seed=7, sweeps=60) for _ in range(2))
    assert np.array_equal(one.share, other.share)
    assert not np.array_equal(one.share, draw(market, seed=8, sweeps=60).share)


def test_saved_draws_are_read_as_they_were(tmp_path: Path) -> None:
    draws = draw(make_market(), seed=7, sweeps=60)
    draws.save(tmp_path / "draws.npz")
    again = Draws.load(tmp_path / "draws.npz")
    assert np.array_equal(draws.share, again.share)
    assert np.array_equal(draws.on, again.on)


def test_twins_are_not_identified_and_their_sum_is_known() -> None:
    market = make_market(periods=156)
    spend = np.array([market.spend[0], market.spend[0] * 1.5, market.spend[1]])
    twins = make_market(
        periods=156, target=market.target, exposure=spend, spend=spend, names=("a", "b", "c")
    )
    summary = summarise(draw(twins, seed=2, sweeps=600), twins, Priors(), seed=2)
    assert [channel.is_identified for channel in summary.channels] == [False, False, True]
    [pair] = summary.pairs
    assert pair.channels == ("a", "b")
    together = 2 * market.spend[0].sum() / spend[:2].sum()
    assert pair.roas.low < together < pair.roas.high


@pytest.mark.parametrize(("noise", "paired"), [(0.08, True), (0.2, True), (1.0, False)])
def test_channels_that_are_bought_together_are_a_pair(noise: float, paired: bool) -> None:
    """Whatever the draws say: few of them are enough to see that their correlation is not asked."""
    market = make_market(periods=156)
    other = market.spend[0] * np.exp(np.random.default_rng(1).normal(0, noise, 156))
    constant = np.full(156, 100.0)
    spend = np.array([market.spend[0], other, constant, constant])
    alike = make_market(periods=156, exposure=spend, spend=spend, names=("a", "b", "c", "d"))
    summary = summarise(draw(alike, seed=2, sweeps=60), alike, Priors(), seed=2)
    found = {pair.channels for pair in summary.pairs}
    assert (("a", "b") in found) is paired


@pytest.mark.parametrize("season", [0.0, 0.5])
@pytest.mark.parametrize("noise", [0.0, 0.005])
def test_spend_without_variation_of_its_own_is_not_identified(season: float, noise: float) -> None:
    market = make_market(periods=156)
    wave = 1 + season * np.sin(2 * np.pi * np.arange(156) / market.periods_per_year)
    spend = market.spend.copy()
    spend[0] = spend[0].mean() * wave * (1 + np.random.default_rng(1).normal(0, noise, 156))
    still = make_market(periods=156, target=market.target, exposure=spend, spend=spend)
    summary = summarise(draw(still, seed=2, sweeps=60), still, Priors(), seed=2)
    assert not summary.channels[0].is_identified
    assert not summary.pairs
    lift = 2 * spend[0].sum()
    test = LiftTest(
        number=0, media=(0,), periods=np.ones(156), lift=lift, standard_error=0.05 * lift
    )
    tested = replace(still, tests=(test,))
    again = summarise(draw(tested, seed=2, sweeps=60), tested, Priors(), seed=2)
    assert again.channels[0].is_identified


def test_a_channel_without_effect_may_have_none() -> None:
    market = make_market(periods=156)
    noise = np.random.default_rng(4).gamma(2.0, 50.0, 156)
    spend = np.vstack([market.spend, noise])
    useless = make_market(
        periods=156, target=market.target, exposure=spend, spend=spend, names=("a", "b", "none")
    )
    summary = summarise(draw(useless, seed=3, sweeps=300), useless, Priors(), seed=3)
    assert summary.channels[2].roas.low == 0
    assert summary.channels[2].no_effect > 0.2
    assert {(s.better, s.worse) for s in summary.statements} >= {("a", "none"), ("b", "none")}


@pytest.mark.parametrize("adstock", ["weibull_cdf", "weibull_pdf"])
def test_weibull_carry_over_and_a_users_own_ranges(adstock: str) -> None:
    market = make_market(adstock=adstock, ranges={"m0": {"alpha": (1.0, 1.2), "shape": (0.5, 2.0)}})
    draws = draw(market, seed=1, sweeps=60)
    alphas = draws.parameters[:, :, 0, -2]
    assert alphas.min() >= 1.0
    assert alphas.max() <= 1.2
    assert np.isfinite(draws.share).all()


def test_rows_before_the_window_carry_over_into_it() -> None:
    market = make_market()
    longer = np.hstack([np.full((2, 8), 500.0), market.exposure])
    one = draw(market, seed=1, sweeps=60)
    other = draw(make_market(exposure=longer), seed=1, sweeps=60)
    assert one.share.shape == other.share.shape
    assert not np.array_equal(one.share, other.share)


def test_a_stop_ends_the_drawing() -> None:
    def stop() -> None:
        raise CancelledError("stop")

    with pytest.raises(CancelledError):
        draw(make_market(), seed=1, check=stop)
