"""The function's archive in the environment that it ships into: its own requirements, no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environments import Environment, environment
from tests.fakes import eventarc, function
from tests.fakes.cloud_run import FakeCloudRun, Job
from tests.fakes.gcs import FakeGCS
from tests.unit.trigger.conftest import CONFIG, JOB, SLEEP, TOPIC
from tests.unit.trigger.test_main import body


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked archive."""
    return function.unpack(tmp_path_factory.mktemp("function"))


@pytest.fixture(scope="module")
def shipped(cache: Path, source: Path) -> Iterator[Environment]:
    """An environment of the archive's requirements."""
    try:
        with environment(cache, source / "requirements.txt") as made:
            yield made
    except OSError as error:
        pytest.skip(str(error))


def test_every_module_is_imported(shipped: Environment, source: Path) -> None:
    seen, failures = shipped.import_all("contract", "trigger", "main", cwd=source)
    assert failures == {}
    assert {"contract.stores.gcs", "contract.topics.pubsub", "trigger.cloud_run", "main"} <= seen


def test_it_is_served(
    shipped: Environment,
    source: Path,
    tmp_path: Path,
    bucket: str,
    gcs_server: FakeGCS,
    run_service: FakeCloudRun,
) -> None:
    run_service.deploy(Job(name="mmm-trainer", command=SLEEP, grace=0.2))
    env = {
        "MMM_BUCKET": bucket,
        "MMM_EVENTS_TOPIC": str(tmp_path / "events.jsonl"),
        "MMM_JOB": JOB,
        "MMM_RUN_ENDPOINT": run_service.url,
        "STORAGE_EMULATOR_HOST": gcs_server.url,
        "MMM_PROJECT": "demo-proj",
    }
    log = tmp_path / "function.log"
    with function.running(source, env, log=log, python=shipped.python) as served:
        push = body({"config": CONFIG}, message_id="1")
        headers = eventarc.headers(push["message"], TOPIC)
        status = eventarc.post(served.url, json.dumps(push).encode(), headers)
    assert status == 200, log.read_text()
    assert len(run_service.executions) == 1
