"""Files in /tmp are memory on Cloud Run: a disk that is full there ends as an OOM kill."""

from __future__ import annotations

import base64
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from contract import layout
from contract.run import State, read_status
from contract.stores.folder import FolderStore
from contract.topics.jsonl import FileTopic
from tests.fakes import cloud_run, memory_limit
from tests.fakes.cloud_run import Job
from tests.faults.scene import CONFIG, JOB, ROOT
from tests.faults.worker import LEASE_SECONDS
from trigger.cloud_run import CloudRunLauncher
from trigger.execution import Launch
from trigger.reconcile import reconcile

MIB = 256  # a job that has not begun to train has about 130 MiB
FILLS_TMP = """#!/bin/sh
exec dd if=/dev/zero of="$TMPDIR/extract" bs=1M count=400
"""


def test_files_that_fill_the_memory_end_the_run_with_a_clear_event(tmp_path: Path) -> None:
    store, topic = FolderStore(tmp_path / "bucket"), FileTopic(tmp_path / "events.jsonl")
    script = tmp_path / "Rscript"
    script.write_text(FILLS_TMP)
    script.chmod(0o755)
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(CONFIG))
    with ExitStack() as stack:
        try:
            group = stack.enter_context(memory_limit.limited(MIB))
        except OSError as error:
            pytest.skip(f"this machine lets no test limit memory: {error}")
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=memory_limit.MEMORY))
        service = stack.enter_context(cloud_run.running())
        env = {
            "MMM_BUCKET": str(store.root), "MMM_EVENTS_TOPIC": str(tmp_path / "events.jsonl"),
            "MMM_RSCRIPT": str(script), "MMM_CONFIG_URI": str(config), "TMPDIR": folder,
            "MMM_MAX_RETRIES": "1", "PYTHONPATH": str(ROOT), "MMM_MEMORY": "8Gi",
        }  # fmt: skip
        command = group.command([sys.executable, "-m", "tests.faults.worker"])
        service.deploy(Job(name="mmm-trainer", command=command, env=env, max_retries=1))
        launcher = CloudRunLauncher.connect(JOB, endpoint=service.url)
        name = launcher.launch(Launch(run_id=""))
        assert service.executions[name].done.wait(200)
        assert list(Path(folder).iterdir()) == []
        time.sleep(LEASE_SECONDS + 0.5)
        report = reconcile(store, topic, launcher, silence=timedelta(seconds=1))
    assert dict(report.results) == {"closed": 1}
    [run_id] = store.folders(layout.RUNS)
    status = read_status(store, run_id)
    assert status is not None
    assert status.state is State.FAILED
    assert status.error is not None
    assert "task 0 ended with signal 9" in status.error.message
    assert "needs more memory, in which files in /tmp count" in status.error.message
    [event] = [json.loads(base64.b64decode(one["data"])) for one in topic.messages()]
    assert event["type"] == "mmm.run.failed"
    assert event["data"]["error"]["message"] == status.error.message
