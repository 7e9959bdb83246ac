"""The section about the posterior shows intervals, the nearest model, and test against model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from contract.calibration import Calibration
from job.report import render_report
from tests.unit.report.conftest import Make
from tests.unit.report.page import Page


def span(median: float) -> dict[str, float]:
    return {"median": median, "low": 0.8 * median, "high": 1.2 * median}


def channel(name: str | None, roas: float, *, is_identified: bool = True) -> dict[str, Any]:
    return {
        "name": name, "spend": 100.0, "roas": span(roas), "contribution": span(100 * roas),
        "share": span(0.1), "marginal_roas": span(roas / 2), "no_effect": 0.0,
        "carry_over": span(0.25) if name else None, "is_identified": is_identified, "r_hat": 1.01,
        "effective_draws": 400.0,
    }  # fmt: skip


POSTERIOR: Mapping[str, Any] = {
    "channels": [channel("tv", 2.1), channel("search", 5.0), channel("social", 0.5)],
    "total": channel(None, 2.5),
    "pairs": [{"channels": ["tv", "search"], "roas": span(3.0)}],
    "statements": [{"better": "tv", "worse": "social", "probability": 0.95}],
    "tests": [
        {
            "number": 0, "lift": 5000.0, "standard_error": 500.0,
            "before": span(9000.0), "after": span(6000.0),
        }
    ],
    "test_error": 0.15, "draws": 512, "autocorrelation": 0.12,
    "next_tests": [
        {"channel": "social", "narrowing": 0.4}, {"channel": "tv", "narrowing": 0.12},
        {"channel": "search", "narrowing": 0.01},
    ],
    "nearest_model": {"model_id": "1_7_1", "distance": 1.5, "models": 60, "best_distance": 4.0},
}  # fmt: skip
TEST = Calibration(
    channel="tv", start=date(2025, 2, 3), end=date(2025, 3, 2), lift=5000.0, spend=1000.0
)


def page(make: Make, quality: Mapping[str, Any] | None = None, **changes: Any) -> Page:
    inputs = make(channels=["tv", "search", "social"])
    config = inputs.config.model_copy(update={"calibration": [TEST]})
    metrics = {**inputs.metrics, "posterior": {**POSTERIOR, **changes}}
    inputs = replace(inputs, metrics=metrics, config=config, quality=quality)
    return Page(render_report(inputs))


def test_channels_with_intervals_and_the_reason_of_a_disagreement(make: Make) -> None:
    text = page(make).text
    assert "What each channel returns" in text
    assert "1.68 to 2.52" in text
    assert "tv returns more per unit of spend than social (probability 95%)." in text
    assert "tv and search cannot be separated. Together their ROAS is 2.40 to 3.60" in text
    # The chosen model has a ROAS of 2 for each channel, as all have together.
    prefers = "outside the interval of search and social: the search prefers models"
    assert f"The chosen model is {prefers}" in text


def test_the_nearest_model_and_its_distance(make: Make) -> None:
    text = page(make).text
    assert "Of the 60 models that the search kept, 1_7_1 is nearest to the posterior: 1.50" in text
    assert "nearest to the posterior" not in page(make, nearest_model=None).text
    own = {**POSTERIOR["nearest_model"], "model_id": "1_2_1"}
    assert "the chosen one is nearest to the posterior: 1.50" in page(make, nearest_model=own).text


def test_how_well_the_posterior_was_drawn(make: Make) -> None:
    text = page(make).text
    assert "Draws of the posterior" in text
    assert "R-hat compares the chains" in text
    assert "The autocorrelation of the noise is" in text
    assert "Draws of the posterior" not in Page(render_report(make())).text


def test_the_most_useful_lift_test(make: Make) -> None:
    text = page(make).text
    assert "Test social next: a lift test with a standard error of 15.0% would narrow" in text
    assert "best budget split by 40.0%; a test of tv by 12.0%." in text
    assert "a lift test with" not in page(make, next_tests=[]).text


def test_a_lift_test_that_the_data_contradict(make: Make) -> None:
    text = page(make).text
    assert "tv, 2025-02-03 to 2025-03-02" in text
    assert "5,000 ± 500" in text
    assert "0 of 1 lift test agree with what the data say without any test." in text
    assert "9,000 (7,200 to 10,800)" in text
    assert "6,000 (4,800 to 7,200)" in text
    near = {**POSTERIOR["tests"][0], "before": span(5500.0)}
    assert "A test agrees with the data" in page(make, tests=[near]).text
    assert "A test agrees" not in page(make, tests=[]).text
    assert "not compared one by one" in page(make, tests=[]).text


def test_a_lift_test_of_another_spend_is_named(make: Make) -> None:
    sentence = "`calibration[0].spend` is 1,000, but the spend in `tv` from 2025-02-03 is 9,000"
    check = {"check": "lift_test_spend", "figure": 1000, "threshold": 9000, "sentence": sentence}
    columns = {"columns": ["tv"], "dates": [], "outcome": "WARN"}
    text = page(make, quality={"checks": [check | columns]}).text
    shown = sentence.replace("`", "")
    assert f"Do not use the results of these channels yet: {shown}" in text
    passed = {"checks": [check | columns | {"outcome": "PASS"}]}
    assert "Do not use the results" not in page(make, quality=passed).text
