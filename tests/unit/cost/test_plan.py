"""`mmm plan` estimates a run and refuses what the run would refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from mmm.commands import app

ROOT = Path(__file__).resolve().parents[3]


def write_config(folder: Path, **over: Any) -> Path:
    document = yaml.safe_load((ROOT / "examples/configs/de_weekly.yaml").read_text())
    document["source"]["path"] = str(ROOT / document["source"]["path"])
    document["training"] |= {"engine": "builtin", "preset": "production"}
    document |= over
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    config = write_config(tmp_path)

    def run(*options: str) -> Any:
        return CliRunner().invoke(app, ["plan", str(config), "--bucket", "bucket", *options])

    return run


def test_plan_prints_time_and_cost(plan: Any) -> None:
    text = plan("--cpu", "4", "--region", "us-east1").stdout
    assert "4 vCPU, 8 GiB, us-east1 in Cloud Run, prices of 20" in text
    assert "5 trials of 10000 iterations, 4 at once, engine builtin" in text
    assert "not corrected, because there are no past runs" in text

    document = json.loads(plan("--json", "--rows", "100", "--cpu", "1", "--memory", "2Gi").stdout)
    estimate = document["estimate"]
    assert (estimate["work"]["rows"], estimate["rows_from"]) == (100, "--rows")
    assert (estimate["machine"]["gib"], estimate["work"]["cores"]) == (2, 1)
    assert document["config"]["training"]["trials"] == 5
    assert document["over_limits"] == []
    more = json.loads(plan("--json", "--rows", "1000", "--cpu", "1", "--memory", "2Gi").stdout)
    assert more["estimate"]["amount"] > estimate["amount"] > 0
    assert not Path("bucket").exists()


def test_plan_shows_what_the_priors_expect_of_local_data(plan: Any) -> None:
    text = plan().stdout
    assert re.search(r"paid media  1\d% of REVENUE \(\d+% to \d+% in 90 % of the draws\)", text)
    assert "\ntv  ROAS " in text
    prior = "posterior.priors.channels.tv"
    wrong = plan("--set", f"{prior}.roas=4000", "--json").stdout
    sentences = json.loads(wrong)["prior"]["contradictions"]
    assert [sentence.split(" says ")[0] for sentence in sentences] == [
        f"`{prior}`", "`posterior.priors.channels`",
    ]  # fmt: skip
    assert json.loads(plan("--json", "--set", "posterior.enabled=false").stdout)["prior"] is None


def test_plan_refuses_as_the_run_would(plan: Any) -> None:
    over = plan("--set", "limits.max_minutes=0.1", "--set", "limits.max_cost=0.0001")
    assert over.exit_code == 64
    assert "error: `limits.max_minutes` is 0.1, but" in over.stderr
    assert "error: `limits.max_cost` is 0.0001 USD, but" in over.stderr
    assert "Estimate" in over.stdout
    wrong = plan("--region", "europe-west13")
    assert wrong.exit_code == 64
    assert "Did you mean `europe-west" in wrong.stderr
