"""Rolling validation fits everything again to the past, and predicts what it has not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.truth.worlds import make_world
from job.posterior.draws import draw
from job.posterior.market import LiftTest, MarketData
from job.posterior.priors import Priors
from job.posterior.validation import Fold, first_periods, predict, to_dict, validate

SWEEPS = 180


@pytest.fixture(scope="module")
def market() -> MarketData:
    return make_world("wide", 3).data


def test_predictions_are_near_and_their_intervals_hold_the_target(market: MarketData) -> None:
    folds = validate(market, Priors(), folds=3, horizon=8, seed=1, sweeps=SWEEPS)
    assert [fold.train for fold in folds] == [184, 192, 200]
    assert np.mean([fold.mape for fold in folds]) < 0.05
    assert np.mean([fold.inside for fold in folds]) > 0.7


def test_a_prediction_does_not_know_the_target_of_its_periods(market: MarketData) -> None:
    target = market.target.copy()
    target[-8:] *= 3
    (known,) = validate(market, Priors(), folds=1, horizon=8, seed=1, sweeps=60)
    changed = replace(market, target=target)
    past, whole = first_periods(changed, 200), first_periods(changed, 208)
    draws = draw(past, seed=1, sweeps=60)
    predicted = predict(draws, past, whole, Priors(), random=np.random.default_rng(1))
    (blind,) = validate(changed, Priors(), folds=1, horizon=8, seed=1, sweeps=60)
    assert predicted.shape[1] == 8
    assert known.mape is not None
    assert blind.mape is not None
    # The same predictions, compared with a target three times as high.
    middle = np.median(predicted, axis=0)
    assert known.mape == pytest.approx(np.mean(np.abs(middle / market.target[-8:] - 1)))
    assert blind.mape == pytest.approx(np.mean(np.abs(middle / target[-8:] - 1)))


def test_the_past_ends_at_the_cut_and_keeps_the_lift_tests_within_it(market: MarketData) -> None:
    early, late = np.zeros(market.periods), np.zeros(market.periods)
    early[10:14], late[98:104] = 1, 1
    tests = tuple(
        LiftTest(number=number, media=(0,), periods=periods, lift=1.0, standard_error=1.0)
        for number, periods in enumerate((early, late))
    )
    past = first_periods(replace(market, tests=tests), 100)
    assert (past.periods, past.spend.shape[1], past.exposure.shape[1]) == (100, 100, 100)
    assert [test.number for test in past.tests] == [0]
    assert len(past.tests[0].periods) == 100


def test_folds_that_leave_too_little_to_fit_are_left_out(market: MarketData) -> None:
    assert validate(market, Priors(), folds=1, horizon=120, seed=1, sweeps=60) == []
    assert to_dict([], 120, []) is None


def test_means_leave_out_what_a_fold_does_not_have() -> None:
    some = Fold(train=4, rsq=0.5, nrmse=0.1, mape=0.2, inside=1.0)
    flat = Fold(train=6, rsq=None, nrmse=None, mape=0.4, inside=0.5)
    found = to_dict([some, flat], 2, [f"2026-01-0{day}" for day in range(1, 9)])
    assert found is not None
    assert found["mean"] == {"rsq": 0.5, "nrmse": 0.1, "mape": pytest.approx(0.3), "inside": 0.75}
    assert found["by_fold"][1] == {
        "train_periods": 6, "start": "2026-01-07", "end": "2026-01-08",
        "rsq": None, "nrmse": None, "mape": 0.4, "inside": 0.5,
    }  # fmt: skip
