"""The nearest model is the one whose ROAS the posterior holds most likely."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from job.posterior.curves import FACTORS, curves
from job.posterior.draws import Draws, draw
from job.posterior.market import MarketData
from job.posterior.nearest import nearest_model
from tests.unit.posterior.markets import make_market


@pytest.fixture(scope="module")
def drawn() -> tuple[Draws, MarketData]:
    market = make_market()
    return draw(market, seed=1, sweeps=120), market


def write(folder: Path, models: dict[str, tuple[float, ...]], best: str = "best") -> Path:
    pd.DataFrame(
        [
            {
                "model_id": model, "is_best_model": str(model == best).upper(),
                "kind": "paid_media", "channel": f"m{number}", "roas": roas,
            }
            for model, values in models.items()
            for number, roas in enumerate(values)
        ]
    ).to_csv(folder / "decomposition.csv", index=False)  # fmt: skip
    return folder


def test_the_nearest_model_and_the_chosen_one(
    drawn: tuple[Draws, MarketData], tmp_path: Path
) -> None:
    draws, market = drawn
    medians = np.median(draws.roas(market).reshape(-1, 2), axis=0)
    near, far = tuple(medians * 1.01), tuple(medians * (0.4, 2.0))
    found = nearest_model(write(tmp_path, {"best": far, "other": near}), draws, market)
    assert found is not None
    assert (found.model_id, found.models) == ("other", 2)
    assert found.distance < 1 < found.best_distance


def test_models_without_a_channel_are_not_compared(
    drawn: tuple[Draws, MarketData], tmp_path: Path
) -> None:
    assert nearest_model(write(tmp_path, {"best": (2.0,)}), *drawn) is None


def test_response_curves_rise_through_the_contribution(drawn: tuple[Draws, MarketData]) -> None:
    draws, market = drawn
    points = [point for point in curves(draws, market) if point.channel == "m0"]
    assert [point.factor for point in points] == list(FACTORS)
    medians = [point.contribution.median for point in points]
    assert medians == sorted(medians)
    assert medians[0] == 0
    brought = draws.roas(market)[..., 0] * market.spend[0].sum()
    assert medians[10] == pytest.approx(np.median(brought), rel=0.05)
