"""A run over its limits ends before it reads or trains; `mmm plan` says so beforehand."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from contract.run import Status, read_status
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


def refused(folder: Path, config: Path) -> tuple[Status, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "job", "--config", str(config)],
        cwd=ROOT,
        env={
            **os.environ,
            "MMM_BUCKET": str(folder / "bucket"),
            "MMM_EVENTS_TOPIC": str(folder / "events.jsonl"),
            "MMM_RSCRIPT": "/no/r/is/started",
            "MMM_MAX_RETRIES": "3",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 64, done.stderr
    store = FolderStore(folder / "bucket")
    (run_id,) = store.folders("runs/")
    status = read_status(store, run_id)
    assert status is not None
    assert status.state == "FAILED"
    (line,) = (folder / "events.jsonl").read_text().splitlines()
    return status, json.loads(base64.b64decode(json.loads(line)["data"]))["data"]


def test_before_anything_is_read(tmp_path: Path) -> None:
    config = write_config(
        tmp_path,
        source={"type": "file", "path": str(tmp_path / "there_is_none.csv")},
        date={"column": "DATE", "start": "2022-01-03", "end": "2025-12-28"},
        limits={"max_cost": 0.0001},
    )
    status, event = refused(tmp_path, config)
    assert status.error is not None
    assert (status.error.code, status.error.kind, status.error.step) == (64, "LimitError", "limits")
    assert "`limits.max_cost` is 0.0001 USD" in status.error.message
    steps = [step["name"] for step in status.steps]
    assert steps[-1] == "estimate"
    assert "extract" not in steps
    assert event["error"]["code"] == 64
    assert event["cost"]["estimate"]["work"]["rows"] == 208
    assert event["cost"]["estimate"]["amount"] > 0.0001
    assert event["cost"]["actual"]["seconds"] > 0


def test_once_the_rows_are_known(tmp_path: Path) -> None:
    config = write_config(tmp_path, date={"column": "DATE"}, limits={"max_minutes": 0.2})
    status, event = refused(tmp_path, config)
    assert status.error is not None
    assert status.error.step == "limits"
    assert "208 rows (the extract)" in status.error.message
    steps = [step["name"] for step in status.steps]
    assert steps[-4:] == ["estimate", "extract", "gate", "estimate"]
    assert event["cost"]["estimate"]["rows_from"] == "the extract"


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    config = write_config(tmp_path)

    def run(*options: str) -> Any:
        return CliRunner().invoke(app, ["plan", str(config), "--bucket", "bucket", *options])

    return run


def test_plan_tells_minutes_and_money(plan: Any) -> None:
    text = plan("--cpu", "4", "--region", "us-east1").stdout
    assert "4 vCPU, 8 GiB, us-east1 in Cloud Run, prices of 20" in text
    assert "5 trials of 10000 iterations, 4 at once, engine builtin" in text
    assert "corrected by no past run" in text

    told = json.loads(plan("--json", "--rows", "100", "--cpu", "1", "--memory", "2Gi").stdout)
    estimate = told["estimate"]
    assert (estimate["work"]["rows"], estimate["rows_from"]) == (100, "--rows")
    assert (estimate["machine"]["gib"], estimate["work"]["cores"]) == (2, 1)
    assert told["config"]["training"]["trials"] == 5
    assert told["over_limits"] == []
    more = json.loads(plan("--json", "--rows", "1000", "--cpu", "1", "--memory", "2Gi").stdout)
    assert more["estimate"]["amount"] > estimate["amount"] > 0
    assert not Path("bucket").exists()


def test_plan_refuses_as_the_run_would(plan: Any) -> None:
    over = plan("--set", "limits.max_minutes=0.1", "--set", "limits.max_cost=0.0001")
    assert over.exit_code == 64
    assert "error: `limits.max_minutes` is 0.1, but" in over.stderr
    assert "error: `limits.max_cost` is 0.0001 USD, but" in over.stderr
    assert "Estimate" in over.stdout
    wrong = plan("--region", "europe-west13")
    assert wrong.exit_code == 64
    assert "Did you mean `europe-west" in wrong.stderr
