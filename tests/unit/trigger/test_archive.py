"""The source archive: deterministic, complete, and served from a clean environment."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from contract.topics.jsonl import FileTopic
from tests.fakes import eventarc, function
from tests.fakes.cloud_run import FakeCloudRun
from tests.fakes.gcs import FakeGCS
from tests.unit.trigger.conftest import CONFIG, JOB, TOPIC
from tests.unit.trigger.test_main import body
from trigger import archive
from trigger.cloud_run import CloudRunLauncher


def test_equal_sources_give_equal_archives(tmp_path: Path) -> None:
    first = archive.build(tmp_path / "a.zip")
    second = archive.build(tmp_path / "b.zip")
    assert first == second
    names = zipfile.ZipFile(tmp_path / "a.zip").namelist()
    assert {"main.py", "requirements.txt", "trigger/main.py", "contract/config.py"} <= set(names)
    assert not any(name.startswith(("job/", "tests/")) for name in names)


@pytest.mark.slow
def test_it_serves_from_a_clean_environment_with_its_own_requirements_only(
    tmp_path: Path,
    bucket: str,
    gcs_server: FakeGCS,
    run_service: FakeCloudRun,
    launcher: CloudRunLauncher,
    topic: FileTopic,
) -> None:
    source = function.unpack(tmp_path)
    try:
        python = function.clean_environment(tmp_path / "venv", source / "requirements.txt")
    except OSError as error:
        pytest.skip(str(error))
    env = {
        "MMM_BUCKET": bucket,
        "MMM_EVENTS_TOPIC": str(topic.path),
        "MMM_JOB": JOB,
        "MMM_RUN_ENDPOINT": run_service.url,
        "STORAGE_EMULATOR_HOST": gcs_server.url,
        "MMM_PROJECT": "demo-proj",
    }
    log = tmp_path / "function.log"
    with function.running(source, env, log=log, python=python) as served:
        push = body({"config": CONFIG}, message_id="1")
        headers = eventarc.headers(push["message"], TOPIC)
        status = eventarc.post(served.url, json.dumps(push).encode(), headers)
    assert status == 200, log.read_text()
    assert len(run_service.executions) == 1
