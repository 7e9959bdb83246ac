"""`mmm import-config`: a flat file of Robyn's names becomes a config, or a question."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from contract.loading import load_config
from mmm.commands import app

FLAT: dict[str, Any] = {
    "country": "fr", "iterations": 200, "trials": 3, "train_size": [0.7, 0.9],
    "revision": "r100", "date_input": "2026-01-31", "start_date": "2024-01-01",
    "end_date": "2025-12-31", "gcs_bucket": "mmm-output", "table": "DB.GROWTH.DAILY", "query": "",
    "data_gcs_path": "gs://mmm-output/raw.parquet", "annotations_gcs_path": None,
    "paid_media_spends": ["GA_SUPPLY_COST", "TV_COST"],
    "paid_media_vars": "GA_SUPPLY_SESSIONS, TV_COST",
    "context_vars": ["IS_WEEKEND", "PRICE"], "factor_vars": ["IS_WEEKEND", "TV_IS_ON"],
    "organic_vars": ["ORGANIC_TRAFFIC"], "timestamp": "0131_120000", "dep_var": "UPLOAD_VALUE",
    "dep_var_type": "revenue", "date_var": "date", "adstock": "geometric", "max_cores": 8,
    "hyperparameter_preset": "House ranges", "resample_freq": "W",
    "column_agg_strategies": {"TV_IS_ON": "max", "UPLOAD_VALUE": "sum", "OTHER": "mean"},
}  # fmt: skip
CUSTOM = {"alphas_min": 1, "alphas_max": 3, "gammas_min": 0.6, "gammas_max": 0.9}


def run(folder: Path, flat: dict[str, Any], *options: str) -> Result:
    file = folder / "job_config.json"
    file.write_text(json.dumps(flat))
    return CliRunner().invoke(app, ["import-config", str(file), *options])


def test_a_whole_file_becomes_a_config(tmp_path: Path) -> None:
    done = run(tmp_path, FLAT, "--answer", "country_column=COUNTRY")
    assert (done.exit_code, done.stderr) == (0, "")
    config = load_config(done.stdout).config
    assert (config.market, config.revision) == ("FR", "r100")
    assert config.source.model_dump(exclude_none=True) == {
        "type": "snowflake", "table": "DB.GROWTH.DAILY", "country_column": "COUNTRY",
        "country": "fr",
    }  # fmt: skip
    assert [(c.name, c.spend, c.exposure) for c in config.channels] == [
        ("ga_supply", "GA_SUPPLY_COST", "GA_SUPPLY_SESSIONS"), ("tv", "TV_COST", None),
    ]  # fmt: skip
    assert (config.organic, config.context, config.factors) == (
        ["ORGANIC_TRAFFIC"], ["PRICE"], ["TV_IS_ON"],
    )  # fmt: skip
    assert (str(config.date.start), config.date.end) == ("2024-01-01", None)
    assert config.aggregation == {"TV_IS_ON": "max"}
    assert (config.training.iterations, config.training.trials) == (200, 3)
    comments = [line for line in done.stdout.splitlines() if line.startswith("#")]
    for word in ("IS_WEEKEND", "train_size", "House ranges", "gs://mmm-output"):
        assert any(word in line for line in comments), word


def test_what_the_file_cannot_say_is_asked(tmp_path: Path) -> None:
    done = run(tmp_path, FLAT)
    assert (done.exit_code, done.stdout) == (64, "")
    assert "`--answer country_column=VALUE`; allowed: none, COUNTRY," in done.stderr
    proposal = json.loads(run(tmp_path, FLAT, "--json").stdout)
    assert proposal["config"] is None
    assert [(q["id"], q["default"]) for q in proposal["questions"]] == [
        ("source", "warehouse"), ("warehouse", "snowflake"), ("country_column", None),
        ("end", "open"),
    ]  # fmt: skip
    wrong = run(tmp_path, FLAT, "--answer", "end=never")
    assert "`--answer end=never`; allowed: open, fixed." in wrong.stderr


def test_answers_change_the_config(tmp_path: Path) -> None:
    flat = {**FLAT, "resample_freq": "none", "dep_var_type": None}
    answers = ("source=file", "end=fixed", "frequency=week", "kind=conversion")
    done = run(tmp_path, flat, *(word for a in answers for word in ("--answer", a)))
    config = load_config(done.stdout).config
    assert config.source.model_dump(exclude_none=True) == {
        "type": "file", "path": "gs://mmm-output/raw.parquet",
    }  # fmt: skip
    assert (str(config.date.end), config.date.frequency) == ("2025-12-31", "week")
    assert (config.date.fill, config.target.kind) == ("zero", "conversion")


def test_ranges_for_all_media_become_those_of_each(tmp_path: Path) -> None:
    flat = {**FLAT, "table": "", "custom_hyperparameters": CUSTOM}
    ranges = load_config(run(tmp_path, flat).stdout).config.training.hyperparameters
    assert ranges["GA_SUPPLY_SESSIONS_alphas"] == [1, 3]
    assert ranges["ORGANIC_TRAFFIC_gammas"] == [0.6, 0.9]
    assert not any(name.endswith("thetas") for name in ranges)
    own = {"TV_COST_thetas": [0.3, 0.8]}
    flat["custom_hyperparameters"] = own
    assert load_config(run(tmp_path, flat).stdout).config.training.hyperparameters == own


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"dep_var": None}, "has no `dep_var`"),
        ({"table": "", "data_gcs_path": ""}, "has no `query`, `table` or `data_gcs_path`"),
        ({"organic_vars": 3}, "`organic_vars` is `3`; allowed: a list of columns"),
        ({"table": "", "iterations": 3}, "`training.iterations` is `3`"),
        ({"table": "", "country": "a/b"}, "`market` is `A/B`"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    done = run(tmp_path, {**FLAT, **change})
    assert done.exit_code == 64
    assert problem in done.stderr


def test_a_hostile_key_stays_in_its_comment(tmp_path: Path) -> None:
    done = run(tmp_path, {**FLAT, "table": "", "x\nversion: 2\u202e": 1})
    assert load_config(done.stdout).config.version == 1
    assert "# - `x\\nversion: 2\\u202e` has no counterpart" in done.stdout


def test_an_existing_file_is_not_replaced(tmp_path: Path) -> None:
    output = tmp_path / "new" / "de.yaml"
    first = run(tmp_path, {**FLAT, "table": ""}, "--output", str(output))
    assert (first.exit_code, first.stdout) == (0, "")
    assert run(tmp_path, FLAT, "--output", str(output)).exit_code == 64
