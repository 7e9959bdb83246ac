"""Good results pass; results that are bad in different ways do not, and the finding says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from contract.verdict import Level, VerdictThresholds, problems, summary
from job.posterior.baseline import season_and_trend
from job.verdict import CHECKS, Evidence, judge
from tests.unit.verdict.evidence import (
    NAMES,
    PERIODS,
    config,
    found,
    good,
    with_channels,
    with_posterior,
    with_target,
)

NOT_CONVERGED = {"converged": False, "last_median": 0.1}
CONVERGED = {"converged": True, "last_median": 0.1}
WIDE = {"low": 0.0, "median": 1.0, "high": 3.0}
LAST_YEAR = np.arange(PERIODS) >= 104


def test_a_good_result_passes_every_check() -> None:
    verdict = judge(good())
    assert verdict.level is Level.PASS, found(good())
    assert [f.check for f in verdict.findings] == [check.__name__ for check in CHECKS]
    assert all(f.sentence for f in verdict.findings)


def test_a_check_that_passed_shows_its_figure_on_the_right_side_of_its_threshold() -> None:
    at_least = {"fit", "rows", "spend_shares"}
    passed = {f.check: f for f in judge(good()).findings}
    without = {name for name, f in passed.items() if f.figure is None or f.threshold is None}
    assert without == {"posterior", "prediction", "lift_tests", "inseparable"}  # nothing to compare
    for name in passed.keys() - without:
        figure, threshold = passed[name].figure, passed[name].threshold
        assert figure is not None
        assert threshold is not None
        assert figure >= threshold if name in at_least else figure <= threshold, name


def noise() -> Evidence:
    """The target is noise: nothing fits, and the posterior knows nothing."""
    unknown = {"roas": WIDE, "is_identified": True, "no_effect": 0.1}
    evidence = with_channels(**dict.fromkeys(NAMES, unknown))
    return replace(evidence, metrics={**evidence.metrics, "rsq_train": 0.135})


def net_flow() -> Evidence:
    evidence = good()
    target = np.diff(evidence.market.target, prepend=0.0) + 0.2
    return with_target(evidence, target, target)


def twins() -> Evidence:
    pair = {"channels": ["tv", "radio"], "roas": {"low": 2.0, "median": 2.1, "high": 2.2}}
    evidence = with_channels(radio={"roas": {"low": 1.1, "median": 2.1, "high": 3.6}})
    assert evidence.posterior is not None
    return with_posterior(**{**evidence.posterior, "pairs": [pair]})


def level_break() -> Evidence:
    evidence = good()
    target = evidence.market.target - 8.0 * LAST_YEAR
    return with_target(evidence, target, target)  # a flexible trend follows it


def effect_break() -> Evidence:
    evidence = good()
    effect = evidence.media["tv"].to_numpy() * LAST_YEAR
    return with_target(evidence, evidence.market.target - 0.8 * effect)


def recent_effect() -> Evidence:
    evidence = good()
    effect = evidence.media["tv"].to_numpy() * (np.arange(PERIODS) >= PERIODS - 6)
    return with_target(evidence, evidence.market.target - 0.9 * effect)


def outlier() -> Evidence:
    evidence = good()
    return with_target(evidence, evidence.market.target + 9.0 * (np.arange(PERIODS) == 50))


def seasonal_spend() -> Evidence:
    evidence = good()
    season = season_and_trend(evidence.market)[0][-2]
    spend = evidence.market.spend.copy()
    spend[0] = 3 + season
    return replace(evidence, market=replace(evidence.market, spend=spend))


def winners_apart() -> Evidence:
    shares = pd.DataFrame([[0.1, 0.5, 0.4], [0.6, 0.1, 0.3]], columns=list(NAMES))
    return replace(good(), winners=shares)


def lift(measured: float) -> Evidence:
    test = {
        "number": 0, "lift": measured, "standard_error": 10.0,
        "before": {"low": 80.0, "median": 100.0, "high": 120.0},
    }  # fmt: skip
    given = {
        "channel": "tv", "start": "2024-03-04", "end": "2024-03-24", "lift": measured,
        "spend": 50.0, "standard_error": 10.0,
    }  # fmt: skip
    return replace(with_posterior(tests=[test]), config=config(calibration=[given]))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (noise, {"fit": "FAIL", "intervals": "FAIL"}),
        (net_flow, {"target": "REVIEW"}),
        (twins, {"inseparable": "REVIEW"}),
        (level_break, {"structural_break": "REVIEW"}),
        (effect_break, {"structural_break": "REVIEW"}),
        (recent_effect, {"recent_change": "REVIEW"}),
        (outlier, {"outliers": "REVIEW"}),
        (seasonal_spend, {"absorbed": "REVIEW"}),
        (winners_apart, {"cluster_winners": "REVIEW"}),
        (lambda: lift(110.0), {}),
        (lambda: lift(150.0), {"lift_tests": "REVIEW"}),
        (lambda: lift(250.0), {"lift_tests": "FAIL"}),
        (lambda: with_channels(tv={"no_effect": 0.9}), {"no_effect": "REVIEW"}),
        (lambda: with_channels(tv={"roas": WIDE}), {"intervals": "REVIEW"}),
        (lambda: with_channels(tv={"is_identified": False}), {"intervals": "REVIEW"}),
        (
            lambda: with_channels(tv={"roas": {"low": 5.0, "median": 5.2, "high": 5.4}}),
            {"disagreement": "REVIEW"},
        ),
        (lambda: with_channels(tv={"r_hat": 1.6}), {"chains": "REVIEW"}),
        (lambda: with_posterior(autocorrelation=0.8), {"autocorrelation": "REVIEW"}),
        (lambda: good(posterior=None), {"posterior": "REVIEW"}),
        (lambda: good(rsq_train=0.5), {"fit": "REVIEW"}),
        (lambda: good(rsq_train=None), {"fit": "FAIL"}),
        (lambda: good(rsq_test=0.2), {"prediction": "REVIEW"}),
        (lambda: good(rsq_test=-0.2), {"prediction": "FAIL"}),
        (
            lambda: good(validation={"horizon": 8, "mean": {"mape": 0.3}}),
            {"prediction": "REVIEW"},
        ),
        (lambda: replace(good(), variables=30), {"rows": "REVIEW"}),
        (lambda: replace(good(), variables=80), {"rows": "FAIL"}),
        (lambda: good(convergence=None), {"convergence": "REVIEW"}),
        (lambda: good(convergence={"nrmse": NOT_CONVERGED}), {"convergence": "REVIEW"}),
        (lambda: good(convergence={"nrmse": NOT_CONVERGED, "decomp_rssd": CONVERGED}), {}),
        (
            lambda: replace(
                good(convergence={"nrmse": NOT_CONVERGED, "decomp_rssd": CONVERGED}),
                lowest_errors=(0.04, 0.06),
            ),
            {"convergence": "REVIEW"},
        ),
    ],
)
def test_a_bad_result_does_not_pass(make: Callable[[], Evidence], expected: dict[str, str]) -> None:
    assert found(make()) == expected


def test_effect_shares_that_repeat_spend_shares_need_a_posterior_that_agrees() -> None:
    assert found(good(decomp_rssd=0.003)) == {}
    assert found(good(decomp_rssd=0.003, posterior=None)) == {
        "posterior": "REVIEW", "spend_shares": "REVIEW",
    }  # fmt: skip
    other = with_channels(tv={"roas": {"low": 0.7, "median": 0.8, "high": 0.9}})
    same = replace(other, metrics={**other.metrics, "decomp_rssd": 0.003})
    assert found(same)["spend_shares"] == "REVIEW"


def test_a_finding_names_channels_figure_threshold_and_date() -> None:
    findings = {f.check: f for f in judge(level_break()).findings}
    broken = findings["structural_break"]
    assert broken.figure is not None
    assert broken.threshold is not None
    assert broken.figure > broken.threshold == VerdictThresholds().max_break_score
    assert "`REVENUE`" in broken.sentence
    assert "from 2024-12-30 on" in broken.sentence
    pair = {f.check: f for f in judge(twins()).findings}["inseparable"]
    assert pair.channels == ("tv", "radio")
    assert "together their ROAS is 2.00 to 2.20" in pair.sentence


def test_thresholds_come_from_the_config() -> None:
    strict = config(verdict={"min_r2": 0.95}, training={"min_r2": 0.5})
    assert found(replace(good(), config=strict)) == {"fit": "REVIEW"}
    assert found(replace(good(rsq_train=0.4), config=strict)) == {"fit": "FAIL"}


def test_a_cpa_is_given_for_conversions() -> None:
    conversions = config(target={"column": "SALES", "kind": "conversion"})
    sentence = judge(replace(twins(), config=conversions)).findings
    pair = next(f for f in sentence if f.check == "inseparable")
    assert "together their CPA is 0.45 to 0.50" in pair.sentence


def test_the_worst_finding_comes_first_and_decides() -> None:
    document = judge(noise()).to_dict()
    levels = [finding["level"] for finding in document["findings"]]
    assert document["verdict"] == levels[0] == "FAIL"
    assert levels[-1] == "PASS"
    assert {f["check"] for f in problems(document)} == {"fit", "intervals"}
    assert summary(document) == {"verdict": "FAIL", "findings": problems(document)}
    assert summary(None) is None
