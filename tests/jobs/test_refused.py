"""A run over its limits ends before it reads or trains."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from contract.run import Status, read_status
from contract.stores.folder import FolderStore
from tests.unit.cost.test_plan import ROOT, write_config


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
