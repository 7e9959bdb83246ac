"""The open bench scores answers rightly, and its worlds know their truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.truth.page import common
from bench.truth.score import PERCENTILES, figures, lift_test, row
from bench.truth.worlds import WORLDS, World, make_world


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_a_world_is_repeatable_and_its_media_bring_less_than_the_target(name: str) -> None:
    world, again = make_world(name, 7), make_world(name, 7)
    data = world.data
    np.testing.assert_array_equal(data.target, again.data.target)
    assert data.spend.shape == (len(world.roas), data.periods)
    assert 0.02 < world.roas @ data.spend.sum(1) / data.target.sum() < 0.6
    assert data.target.min() > 0


def answer(world: World, off: float) -> dict[str, Any]:
    """Return intervals that begin at `off` times the truth and are as wide as the truth."""
    return {"percentiles": [(world.roas * (off + p / 100)).tolist() for p in PERCENTILES]}


def records(world: World, off: float, method: str = "one", seed: int = 7) -> list[dict[str, Any]]:
    used = {"cpu_seconds": 1.0, "memory_gb": 1.0, "cents": 1.0}
    known = {"method": method, "world": "wide", "seed": seed, **used}
    return [known | record for record in figures(world, answer(world, off))]


def test_an_interval_around_the_truth_scores_its_width_and_a_missed_one_twenty_times_more() -> None:
    world = make_world("wide", 7)
    held, missed = row(records(world, 0.5)), row(records(world, 1.0))
    mean = np.mean([record["truth"] for record in records(world, 0.5)])
    assert (held["inside_50"], held["inside_90"], missed["inside_95"]) == (1, 1, 0)
    assert held["score"] == pytest.approx(held["width"]) == pytest.approx(0.9 * mean, rel=1e-3)
    assert held["error"] == pytest.approx(0, abs=1e-4)
    assert missed["score"] == pytest.approx(missed["width"] + 20 * 0.05 * mean, rel=1e-3)
    assert held["order"] == 1


def test_an_interval_that_a_method_does_not_have_counts_for_nothing() -> None:
    world = make_world("wide", 7)
    bare = {"percentiles": [[None] * 5 if p != 50 else world.roas.tolist() for p in PERCENTILES]}
    used = {"cpu_seconds": 1.0, "memory_gb": 1.0, "cents": 1.0}
    known = {"method": "one", "world": "wide", "seed": 7, **used}
    found = row([known | record for record in figures(world, bare)])
    assert (found["inside_90"], found["score"], found["error"]) == (None, None, 0)


def test_methods_are_compared_on_the_markets_that_all_of_them_answered() -> None:
    world = make_world("wide", 7)
    mine = [record for seed in (1, 2, 3) for record in records(world, 0.5, "one", seed)]
    other = records(world, 0.5, "other", 2)
    assert {(r["method"], r["seed"]) for r in common([*mine, *other])} == {("one", 2), ("other", 2)}


def test_a_lift_test_is_compared_with_the_same_market_without_it() -> None:
    def record(world: str, channel: int, median: float, *, error: float = 0.2) -> dict[str, Any]:
        known = {"truth": 2.0 if channel == 0 else 1.0, "chasing": channel == 0, "error": error}
        return {"world": world, "seed": 1, "channel": channel, "median": median, **known}

    found = lift_test(
        [
            *(record("demand", channel, 1.0, error=0.8) for channel in range(3)),
            *(
                record("demand, one test", channel, 0.9 + 0.3 * (channel == 2))
                for channel in range(3)
            ),
            record("drift", 0, 5.0),
        ]
    )
    assert found == {
        "markets": 1,
        "before": 0.4,
        "after": 0.1,
        "moved": pytest.approx(0.15),
        "drift": pytest.approx(0.05),
    }
    assert lift_test([record("drift", 0, 5.0)])["markets"] == 0
