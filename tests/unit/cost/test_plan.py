"""`mmm plan` estimates a run and refuses what the run would refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from contract import layout
from contract.base import canonical_json
from contract.loading import load_config
from contract.request import Origin, Request
from contract.stores.folder import FolderStore
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
    text = plan("--cpu", "4", "--region", "us-east1", "--full").stdout
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
    text = plan("--full").stdout
    assert re.search(r"paid media  1\d% of REVENUE \(\d+% to \d+% in 90% of the draws\)", text)
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
    assert "over     `limits.max_cost` is 0.0001 USD, but" in over.stdout
    wrong = plan("--region", "europe-west13")
    assert wrong.exit_code == 64
    assert "Did you mean `europe-west" in wrong.stderr


def test_plan_refuses_a_task_with_too_little_memory(plan: Any) -> None:
    over = plan("--cpu", "4", "--memory", "1Gi")
    assert over.exit_code == 64
    sentence = "the run needs about 1.6 GiB, files in /tmp included, but a task has 1 GiB (4 trials"
    assert sentence in over.stderr
    assert "memory   1.6 of 1 GiB, files included" in over.stdout
    document = json.loads(plan("--cpu", "4", "--memory", "2Gi", "--json").stdout)
    assert (document["needed_gib"], document["over_limits"]) == (1.64, [])


def test_a_plan_is_one_screen(plan: Any) -> None:
    lines = plan().stdout.splitlines()
    assert len(lines) <= 24
    assert all(line[:9].strip() in {
        "", "market", "data", "channels", "organic", "context", "factors", "search", "time", "cost",
        "memory", "priors", "current",
    } for line in lines)  # fmt: skip
    assert "; 208 weeks, from the data" in lines[1]
    assert lines[-1] == "current  the market has no current run"
    assert "SELECT" not in plan().stdout


def test_the_difference_to_the_current_run_is_shown(plan: Any, tmp_path: Path) -> None:
    run_id = "20261123T020000Z-aaaaaaaa"
    store = FolderStore(tmp_path / "bucket")
    store.write(layout.current("r1", "DE"), canonical_json({"run_id": run_id}))
    assert plan().stdout.splitlines()[-1] == f"current  {run_id}, with the same config"
    resolved = load_config((tmp_path / "config.yaml").read_text())
    request = Request.of(resolved, run_id=run_id, origin=Origin(via="command"), force=False)
    store.write(layout.request(run_id), request.to_json())
    assert plan().stdout.splitlines()[-1] == f"current  {run_id}, with the same config"
    changed = ("--set", "training.seed=7", "--set", "date.frequency=month")
    *_, head, first, second = plan(*changed).stdout.splitlines()
    assert head == f"current  {run_id}, whose config differs:"
    assert (first.strip(), second.strip()) == (
        "date.frequency: week → month", "training.seed: 123 → 7",
    )  # fmt: skip
    changes = json.loads(plan(*changed, "--json").stdout)["changes"]
    assert changes[1] == {"field": "training.seed", "before": 123, "after": 7}
