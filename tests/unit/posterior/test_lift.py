"""Lift tests count in the likelihood, each with its own standard error, period and scope."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from contract.calibration import Calibration
from job.posterior.baseline import Projection, make_baseline
from job.posterior.chains import Chains
from job.posterior.draws import draw
from job.posterior.experiments import lift_tests, standard_error
from job.posterior.market import LiftTest, MarketData
from job.posterior.media import make_media
from job.posterior.memory import Memory
from job.posterior.priors import ChannelPrior, Priors, draw_prior
from job.posterior.steps import History, sweep
from job.posterior.summary import summarise
from tests.unit.posterior.markets import make_market

STARTS = pd.date_range("2024-01-01", periods=10, freq="7D")
END = pd.Timestamp("2024-03-11")


def make_test(number: int = 0, media: tuple[int, ...] = (0,), **changes: Any) -> LiftTest:
    periods = np.zeros(104)
    periods[40:48] = 1
    values: dict[str, Any] = {"lift": 1000.0, "standard_error": 100.0, "periods": periods}
    return LiftTest(number=number, media=media, **(values | changes))


def given(**changes: Any) -> Calibration:
    values: dict[str, Any] = {
        "channel": "tv", "start": date(2024, 1, 8), "end": date(2024, 1, 21),
        "lift": 400.0, "spend": 200.0,
    }  # fmt: skip
    return Calibration(**(values | changes))


def compare(*tests: Calibration, spend: float = 100.0) -> tuple[tuple[LiftTest, ...], list[str]]:
    return lift_tests(
        tests, names=("tv", "search", "news"), starts=STARTS, end=END, spend=np.full((2, 10), spend)
    )


def test_a_test_counts_the_days_of_each_period() -> None:
    whole, half = compare(given(), given(end=date(2024, 1, 18), spend=100 * 11 / 7))[0]
    assert whole.periods == pytest.approx([0, 1, 1, *[0] * 7])
    assert half.periods == pytest.approx([0, 1, 4 / 7, *[0] * 7])
    assert (whole.media, whole.lift) == ((0,), 400)


def test_a_test_of_a_part_of_the_spend_counts_for_that_part() -> None:
    [test] = compare(given(spend=50.0))[0]
    assert test.periods == pytest.approx([0, 0.25, 0.25, *[0] * 7])


def test_several_channels_and_organic_media() -> None:
    together, organic = compare(given(channel="tv+search", spend=400.0), given(channel="news"))[0]
    assert (together.media, organic.media) == ((0, 1), (2,))
    assert organic.periods.max() == 1  # an organic medium has no spend to compare with


@pytest.mark.parametrize(
    ("changes", "spend", "sentence"),
    [
        ({"channel": "radio"}, 100.0, "a channel that it names has no spend"),
        ({"start": date(2025, 1, 1), "end": date(2025, 2, 1)}, 100.0, "none of its days"),
        ({}, 0.0, "the data's spend in its days is 0"),
        ({"spend": 0.0}, 100.0, "its own 0"),
    ],
)
def test_a_test_that_cannot_be_compared_is_left_out_by_name(
    changes: dict[str, Any], spend: float, sentence: str
) -> None:
    found, [text] = compare(given(**changes), spend=spend)
    assert found == ()
    assert "`calibration[0]`" in text
    assert sentence in text


def test_the_standard_error_is_given_or_follows_from_the_confidence() -> None:
    assert standard_error(given(standard_error=30.0)) == 30
    assert standard_error(given(confidence=0.95)) == pytest.approx(400 / 1.96, rel=1e-3)
    assert standard_error(given(confidence=0.0)) > 1e4
    assert standard_error(given(confidence=1.0)) > 0


def make_chains(market: MarketData, priors: Priors | None = None) -> Chains:
    priors = priors or Priors()
    return Chains(
        market,
        make_media(market),
        Projection(make_baseline(market, priors)),
        priors,
        chains=4,
        random=np.random.default_rng(1),
    )


def test_the_lift_is_the_effect_of_the_tested_periods() -> None:
    tests = (make_test(), make_test(1, (0, 1)), make_test(2, is_immediate=True))
    chains = make_chains(make_market(tests=tests))
    history, memory = History(chains), Memory(chains)
    for number in range(20):
        sweep(chains, history, memory, number)
    shares = chains.shares()
    columns = np.stack([chains.column(medium) for medium in range(2)], axis=1)
    effects = (shares[:, :, None] * columns)[:, :, 40:48].sum(2)
    assert chains.predicted[:, 0] == pytest.approx(effects[:, 0])
    assert chains.predicted[:, 1] == pytest.approx(effects.sum(1))
    assert (chains.predicted[:, 2] <= chains.predicted[:, 0]).all()
    expected = -0.5 * (((1000 - chains.predicted) / 100) ** 2).sum(1)
    with_tests = chains.likelihood(chains.squares, chains.predicted)
    chains.tests.precision[:] = 0
    assert with_tests - chains.likelihood(chains.squares, chains.predicted) == pytest.approx(
        expected
    )


def test_a_precise_test_decides_what_data_cannot() -> None:
    market = make_market()
    spend = np.array([market.spend[0], market.spend[0]])  # twins
    tested = {"exposure": spend, "spend": spend, "target": market.target}
    effect = 0.5 * spend[0, 40:48].sum()
    test = make_test(lift=effect, standard_error=0.1 * effect)
    twins = make_market(**tested, tests=(test,))
    with_test = draw(twins, seed=1, sweeps=300)
    without = draw(twins, seed=1, sweeps=300, count_tests=False)
    summary = summarise(with_test, twins, Priors(), seed=1, without_tests=without)
    before = summarise(without, twins, Priors(), seed=1).channels[0].roas
    after = summary.channels[0].roas
    assert after.high - after.low < 0.5 * (before.high - before.low)
    assert after.low < 0.5 < after.high
    [found] = summary.tests
    assert found.after.high - found.after.low < found.before.high - found.before.low
    assert found.after.low < effect < found.after.high


def test_a_channels_own_prior_replaces_the_common_one() -> None:
    market = make_market()
    priors = Priors(channels={"m0": ChannelPrior(roas=4.0, uncertainty=0.1)})
    roas, kept = draw_prior(market, priors, seed=1)
    assert np.median(roas[:, 0]) == pytest.approx(4.0, rel=0.02)
    assert roas[:, 0].std() == pytest.approx(0.4, rel=0.1)
    assert roas[kept, 1].std() > 1
    drawn = draw(market, seed=1, sweeps=200, priors=priors).roas(market)[..., 0]
    assert (drawn > 0).all()
    assert np.median(drawn) > np.median(draw(market, seed=1, sweeps=200).roas(market)[..., 0])


def test_a_channel_that_follows_demand_has_the_column_without_autocorrelation() -> None:
    market = make_market()
    known = {"m0": ChannelPrior(follows_demand=True), "m1": ChannelPrior(follows_demand=False)}
    usual = make_baseline(market, Priors()).deviations[:, -2:]
    known_channels = make_baseline(market, Priors(channels=known)).deviations[:, -2:]
    assert (known_channels[:, 0] > usual[:, 0]).all()
    assert (known_channels[:, 1] < 0.01).all()


def test_a_test_of_some_days_within_one_week() -> None:
    start = date(2024, 1, 9)
    [test] = compare(given(start=start, end=start + timedelta(days=2), spend=100 * 3 / 7))[0]
    assert test.periods == pytest.approx([0, 3 / 7, *[0] * 8])
