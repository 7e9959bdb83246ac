"""A bucket, a topic and a launcher, once of folders and processes and once of the real clients."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract.stores import Store, open_store
from contract.topics.jsonl import FileTopic
from mmm.local.launcher import LocalLauncher
from tests.fakes.cloud_run import FakeCloudRun, Job
from trigger.cloud_run import CloudRunLauncher
from trigger.delivery import Delivery
from trigger.execution import Launcher

JOB = "projects/demo-proj/locations/europe-west1/jobs/mmm-trainer"
TOPIC = "projects/demo-proj/topics/mmm-requests"
SLEEP = [sys.executable, "-c", "import time; time.sleep(30)"]
CONFIG: dict[str, Any] = {
    "version": 1,
    "market": "DE",
    "revision": "r1",
    "source": {"type": "file", "path": "data.csv"},
    "date": {"column": "DATE"},
    "target": {"column": "REVENUE"},
    "channels": [{"name": "tv", "spend": "TV_COST"}],
}


@pytest.fixture(params=["folder", "gcs"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Both kinds of bucket."""
    if request.param == "folder":
        return open_store(str(tmp_path / "bucket"))
    opened: Store = request.getfixturevalue("gcs_store")
    return opened


@pytest.fixture
def topic(tmp_path: Path) -> FileTopic:
    """Where events go."""
    return FileTopic(tmp_path / "events.jsonl")


@pytest.fixture
def launcher(run_service: FakeCloudRun) -> CloudRunLauncher:
    """The real client on a job that sleeps."""
    run_service.deploy(Job(name="mmm-trainer", command=SLEEP, grace=0.2))
    return CloudRunLauncher.connect(JOB, endpoint=run_service.url)


@pytest.fixture
def local_launcher() -> Iterator[Launcher]:
    """Processes that sleep."""
    made = LocalLauncher(SLEEP, env={}, grace=0.2, max_retries=0)
    yield made
    made.close()


@pytest.fixture
def message() -> Callable[..., Delivery]:
    """Messages with given data."""

    def make(
        data: Any = None, *, message_id: str = "1", at: datetime | None = None, **attributes: str
    ) -> Delivery:
        body = {"config": CONFIG} if data is None else data
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return Delivery(
            message_id=message_id,
            publish_time=(at or datetime.now(UTC)).isoformat(),
            topic=TOPIC,
            data=raw,
            attributes=attributes,
        )

    return make


def events_in(topic: FileTopic) -> list[dict[str, str]]:
    """Attributes of the published events."""
    return [message["attributes"] for message in topic.messages()]
