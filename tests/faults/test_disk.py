"""A disk that is full in one attempt and not in the next."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from contract import layout
from contract.run import State, Status, read_status
from contract.stores.folder import FolderStore
from tests.faults.scene import CONFIG, ROOT, make_training


@pytest.mark.parametrize("largest", [15_000, 60_000], ids="files of {} bytes".format)
def test_a_full_disk_is_reported_and_the_next_attempt_succeeds(
    tmp_path: Path, largest: int
) -> None:
    store = FolderStore(tmp_path / "bucket")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    script = make_training(tmp_path / "r")

    # Coverage's data file would be cut off too.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}

    def attempt(number: int) -> tuple[int, Status]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.worker"],
            env={
                **environment, "MMM_BUCKET": str(store.root), "MMM_RSCRIPT": str(script),
                "MMM_CONFIG_URI": str(tmp_path / "config.yaml"), "MMM_MAX_RETRIES": "1",
                "MMM_EVENTS_TOPIC": str(tmp_path / "events.jsonl"), "DISKS": f"{largest},0",
                "CLOUD_RUN_EXECUTION": "small", "CLOUD_RUN_TASK_ATTEMPT": str(number),
            },
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            check=False,
        )  # fmt: skip
        [run_id] = store.folders(layout.RUNS)
        status = read_status(store, run_id)
        assert status is not None
        return done.returncode, status

    code, status = attempt(0)
    assert (code, status.state) == (75, State.RUNNING), status.error
    assert status.error is not None
    assert "the disk is full" in status.error.message
    code, status = attempt(1)
    assert (code, status.state) == (0, State.SUCCEEDED), status.error
