"""Spends that are no money are named; small, flat and fixed spends are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from job.gate import Verdict
from tests.unit.gate.conftest import named

Gate = Callable[..., Verdict]
ROWS = np.arange(160)
RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (RANDOM.uniform(0, 0.1, 160).round(4), "rate_as_spend"),  # click rate
        (RANDOM.uniform(20, 60, 160).round(1), None),  # 3% of the other spend: may be money
        (RANDOM.uniform(2, 6, 160).round(1), "rate_as_spend"),  # frequency
        (RANDOM.gamma(3, 1, 160).round(2) * (ROWS % 2), "tiny_spend"),
        (RANDOM.gamma(3, 10, 160).round(2), None),  # a small channel
        (np.full(160, 500.0) + (ROWS % 2), None),  # a fixed fee
    ],
)
def test_a_spend_beside_a_larger_one(
    weekly: pd.DataFrame, gate: Gate, search: np.ndarray, expected: str | None
) -> None:
    verdict = gate(weekly.assign(search=search))
    spends = {name for name in named(verdict) if name.endswith("_spend")}
    assert spends == ({expected} if expected else set())


def test_a_rate_that_is_the_only_spend(weekly: pd.DataFrame, gate: Gate) -> None:
    channels = [{"name": "search", "spend": "search"}]
    frame = weekly.assign(search=RANDOM.uniform(0, 0.1, 160).round(4))
    assert "rate_as_spend" in named(gate(frame, channels=channels))


def test_figures_that_are_all_scaled_to_one_are_no_rates(weekly: pd.DataFrame, gate: Gate) -> None:
    scaled = {c: weekly[c] / weekly[c].max() for c in ("sales", "tv", "search", "grp")}
    assert named(gate(weekly.assign(**scaled))) == set()


def test_a_flat_spend_with_an_exposure_that_varies_is_an_average(
    weekly: pd.DataFrame, gate: Gate
) -> None:
    frame = weekly.assign(
        tv=400 + RANDOM.normal(0, 10, 160).round(2), grp=RANDOM.gamma(3, 900, 160).round()
    )
    assert named(gate(frame)) == {"average_as_spend"}
    fee = frame.assign(tv=np.where(ROWS < 80, 400.0, 420.0))
    assert named(gate(fee)) == set()
