"""Lift tests of other tools become lines for the config, or one sentence says what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from contract.calibration import Calibration
from mmm.commands.app import app

ROOT = Path(__file__).parents[3]
DATES = ["--start", "2025-03-03", "--end", "2025-03-30"]
INFERENCE = {"ATT": 155.5, "Perc.Lift": 5.4, "pvalue": 0.01}
INTERVAL = {"Lower.Conf.Int": 100.0, "Upper.Conf.Int": 211.0}


def run(path: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["import-lift-tests", str(path), *options])


def found_in(path: Path, *options: str) -> list[dict[str, Any]]:
    result = run(path, *options, "--json")
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)["calibration"]
    for fields in found:
        Calibration.model_validate(fields)
    return found


def geolift(path: Path, interval: dict[str, float]) -> Path:
    """Write a result as R does: a row in a list, and a number in a list."""
    path.write_text(json.dumps({"inference": [INFERENCE | interval], "incremental": [4665.0]}))
    return path


def geox(path: Path, cells: tuple[str, ...], icpd: float | None = 2.0) -> Path:
    lift = {"point_estimate": 1000.0, "standard_deviation": 250.0, "p_value": 0.01}
    per_spend = None if icpd is None else {"point_estimate": icpd}
    results = {cell: {"lift": lift, "percent_lift": {}, "icpd": per_spend} for cell in cells}
    dates = {
        "analysis_start_date": "2025-03-03T00:00:00",
        "analysis_end_date": "2025-03-30T00:00:00",
    }
    path.write_text(json.dumps({"results": results, "analysis_config": dates}))
    return path


def test_an_interval_of_geolift_is_scaled_from_one_location_to_the_whole_test(
    tmp_path: Path,
) -> None:
    path = geolift(tmp_path / "test.json", INTERVAL)
    (test,) = found_in(path, "--channel", "tv", "--spend", "2000", *DATES)
    half = (211 - 100) / 2 * 4665 / 155.5
    assert test["standard_error"] == pytest.approx(half / NormalDist().inv_cdf(0.95))
    assert (test["channel"], test["lift"], test["spend"]) == ("tv", 4665, 2000)


def test_without_an_interval_the_p_value_of_geolift_says_how_sure_it_is(tmp_path: Path) -> None:
    path = geolift(tmp_path / "test.json", {})
    (test,) = found_in(path, "--channel", "tv", "--spend", "2000", *DATES)
    assert test["standard_error"] == pytest.approx(4665 / NormalDist().inv_cdf(0.995))


def test_the_inference_of_geolift_as_csv_needs_the_total(tmp_path: Path) -> None:
    path = tmp_path / "inference.csv"
    path.write_text('"","ATT","Perc.Lift","pvalue","Lower.Conf.Int"\n"1",155.5,5.4,0.01,NA\n')
    options = ["--channel", "tv", "--spend", "2000", *DATES]
    refused = run(path, *options)
    assert refused.exit_code == 64
    assert "add `--lift` with GeoLift's `incremental`" in refused.stderr
    (test,) = found_in(path, *options, "--lift", "4665")
    assert test["lift"] == 4665


def test_a_geox_analysis_has_dates_and_spend_of_its_own(tmp_path: Path) -> None:
    (test,) = found_in(geox(tmp_path / "geox.json", ("treatment_1",)), "--channel", "tv")
    assert (test["start"], test["end"]) == ("2025-03-03", "2025-03-30")
    assert (test["lift"], test["spend"], test["standard_error"]) == (1000, 500, 250)


def test_each_cell_of_geox_has_its_channel(tmp_path: Path) -> None:
    path = geox(tmp_path / "geox.json", ("a", "b"))
    found = found_in(path, "--channel", "a=tv", "--channel", "b=search")
    assert [test["channel"] for test in found] == ["tv", "search"]
    refused = run(path, "--channel", "a=tv")
    assert (refused.exit_code, "add `--channel b=NAME`" in refused.stderr) == (64, True)


def test_a_geox_analysis_without_spend_asks_for_it(tmp_path: Path) -> None:
    path = geox(tmp_path / "geox.json", ("a",), icpd=None)
    refused = run(path, "--channel", "tv")
    assert (refused.exit_code, "add `--spend`" in refused.stderr) == (64, True)


def test_a_csv_of_tests_becomes_lines_for_the_config(tmp_path: Path) -> None:
    path = tmp_path / "tests.csv"
    path.write_text(
        "channel,start,end,lift,spend,standard_error\n"
        "tv,2025-03-03,2025-03-30,1000,500,200\n"
        "search,2025-05-05,2025-06-01,300,100,\n"
    )
    result = run(path, "--config", str(ROOT / "examples" / "configs" / "de_weekly.yaml"))
    assert result.exit_code == 0, result.stderr
    first, second = yaml.safe_load(result.stdout)["calibration"]
    assert first["standard_error"] == 200
    assert "standard_error" not in second


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        ("a,b\n1,2\n", [], "is not a result that is known"),
        ("{", [], "is not valid JSON"),
        ("channel,start,end,lift,spend\ntv,2025-03-03,2025-03-30,many,5\n", [], "`lift` is `many`"),
        ("channel,start,end,lift,spend\ntv,2025-03-03,2025-03-01,9,5\n", [], "after `start`"),
        ("channel,start,end,lift,spend\n", [], "has no lift test"),
        (
            "channel,start,end,lift,spend\nTV,2025-03-03,2025-03-30,9,5\n",
            ["--config", str(ROOT / "examples" / "configs" / "de_weekly.yaml")],
            "names `TV`; allowed:",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_one_sentence(
    text: str, options: list[str], sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "tests.csv"
    path.write_text(text)
    refused = run(path, *options)
    assert refused.exit_code == 64
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
