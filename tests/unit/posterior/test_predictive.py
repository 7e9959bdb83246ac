"""What the priors expect, and the sentences about priors that the data's scale contradicts."""

from __future__ import annotations

import numpy as np
import pytest

from job.posterior.draws import draw
from job.posterior.predictive import expect
from job.posterior.priors import ChannelPrior, Priors
from tests.unit.posterior.markets import make_market


def test_the_default_priors_expect_somewhat_less_than_typical_shares() -> None:
    expected = expect(make_market(), Priors(), seed=1)
    # `media_share` makes large shares less likely than `typical_share` alone would.
    assert expected.share.median == pytest.approx(0.16, abs=0.03)
    assert expected.share.high < 0.7
    assert expected.contradictions == ()
    assert set(expected.roas) == {"m0", "m1"}


def test_a_roas_in_the_wrong_unit_is_named() -> None:
    market = make_market()
    typical = 0.2 * market.target.sum() / market.spend.sum()
    priors = Priors(channels={"m1": ChannelPrior(roas=typical / 1000)})
    [sentence] = expect(market, priors, seed=1).contradictions
    assert "`posterior.priors.channels.m1`" in sentence
    assert "check the units" in sentence


def test_priors_that_bring_more_than_the_target_are_impossible() -> None:
    market = make_market()
    roas = float(market.target.sum() / market.spend[0].sum())
    expected = expect(market, Priors(channels={"m0": ChannelPrior(roas=roas)}), seed=1)
    assert not expected.is_possible
    assert "channels bring 100% of the target; allowed: less than 90%" in expected.contradictions[0]


def test_chains_leave_a_start_that_the_priors_almost_exclude() -> None:
    market = make_market()
    roas = 0.85 * float(market.target.sum() / market.spend[0].sum())
    priors = Priors(channels={"m0": ChannelPrior(roas=roas, uncertainty=0.3)})
    share = draw(market, seed=1, sweeps=120, priors=priors).share[..., :2].sum(-1)
    assert (share < 0.9).all()
    assert np.unique(share[-1]).size > 8  # the chains move
