"""The next lift test is that of the channel whose uncertainty matters for the budget."""

from __future__ import annotations

import numpy as np
import pytest

from job.posterior.draws import Draws, draw
from job.posterior.market import MarketData
from job.posterior.next_test import next_tests
from tests.unit.posterior.markets import make_market


@pytest.fixture(scope="module")
def drawn() -> tuple[Draws, MarketData]:
    """Two twins, of which one is as good as the other, and a channel that is known well."""
    plain = make_market(periods=156)
    spend = np.array([plain.spend[0], 1.5 * plain.spend[0], plain.spend[1]])
    market = make_market(
        periods=156, target=plain.target, exposure=spend, spend=spend, names=("a", "b", "c")
    )
    return draw(market, seed=2, sweeps=300), market


def test_a_twin_comes_first_and_a_known_channel_last(drawn: tuple[Draws, MarketData]) -> None:
    found = next_tests(*drawn, standard_error=0.15, seed=1)
    assert [test.channel for test in found][-1] == "c"
    assert found[0].channel in ("a", "b")
    assert found[0].narrowing > 0.2 > found[-1].narrowing


def test_a_more_precise_test_narrows_more(drawn: tuple[Draws, MarketData]) -> None:
    precise, rough = (
        {test.channel: test.narrowing for test in next_tests(*drawn, standard_error=e, seed=1)}
        for e in (0.05, 0.6)
    )
    assert precise["a"] > rough["a"]


def test_a_single_channel_has_no_split_to_improve() -> None:
    market = make_market(media=1)
    assert next_tests(draw(market, seed=1, sweeps=60), market, standard_error=0.15, seed=1) == ()
