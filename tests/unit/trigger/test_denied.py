"""Access that is denied for a while: a grant of IAM takes minutes to take effect."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.exceptions import TransientError
from contract.run import State, read_status
from contract.stores import Store, open_store
from contract.topics.jsonl import FileTopic
from tests.fakes.cloud_run import FakeCloudRun, Job
from tests.fakes.gcs import FakeGCS
from tests.fakes.proxy import Call, Fault, Kind, Proxy
from tests.unit.trigger.conftest import CONFIG, JOB, SLEEP
from trigger import launch, requests
from trigger.accept import accept
from trigger.cloud_run import CloudRunLauncher
from trigger.delivery import Delivery
from trigger.reconcile import reconcile

DENIED = Fault(kind=Kind.STATUS, status=403)


class Gate:
    """Denies every call to a path while it is closed."""

    def __init__(self, containing: str) -> None:
        self.containing, self.closed = containing, True

    def __call__(self, call: Call) -> Fault | None:
        return DENIED if self.closed and self.containing in call.path else None


def test_a_launch_that_is_denied_for_a_while_is_made_once(
    tmp_path: Path, topic: FileTopic, run_service: FakeCloudRun, message: Callable[..., Delivery]
) -> None:
    store, gate = open_store(str(tmp_path / "bucket")), Gate(":run")
    run_service.deploy(Job(name="mmm-trainer", command=SLEEP, grace=0.2))
    with Proxy(run_service.url, gate).running() as proxy:
        launcher = CloudRunLauncher.connect(JOB, endpoint=proxy.url)
        one = message()
        for _ in range(3):
            with pytest.raises(TransientError, match="tried again until"):
                accept(one, store=store, publisher=topic, launcher=launcher)
        assert dict(reconcile(store, topic, launcher).results) == {"open": 1}
        gate.closed = False
        [result] = accept(one, store=store, publisher=topic, launcher=launcher)
    assert result.state is State.LAUNCHED
    assert len(run_service.executions) == 1
    assert list(topic.messages()) == []


def test_a_launch_that_stays_denied_ends_the_run(
    tmp_path: Path,
    topic: FileTopic,
    run_service: FakeCloudRun,
    message: Callable[..., Delivery],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, gate = open_store(str(tmp_path / "bucket")), Gate(":run")
    run_service.deploy(Job(name="mmm-trainer", command=SLEEP, grace=0.2))
    with Proxy(run_service.url, gate).running() as proxy:
        launcher = CloudRunLauncher.connect(JOB, endpoint=proxy.url)
        one = message()
        with pytest.raises(TransientError):
            accept(one, store=store, publisher=topic, launcher=launcher)
        later = datetime.now(UTC) + timedelta(minutes=16)
        monkeypatch.setattr(launch, "now", lambda: later)
        [result] = accept(one, store=store, publisher=topic, launcher=launcher)
    assert result.state is State.FAILED
    status = read_status(store, result.run_id)
    assert status is not None
    assert status.error is not None
    assert (status.error.code, status.error.kind) == (69, "DeniedError")
    [event] = topic.messages()
    assert event["attributes"]["state"] == "FAILED"


@pytest.mark.parametrize("minutes", [0, 16])
def test_a_config_that_is_denied_is_rejected_only_after_a_while(
    gcs_server: FakeGCS,
    bucket: str,
    tmp_path: Path,
    topic: FileTopic,
    run_service: FakeCloudRun,
    monkeypatch: pytest.MonkeyPatch,
    message: Callable[..., Delivery],
    minutes: int,
) -> None:
    open_store(bucket).write("configs/de.json", json.dumps(CONFIG).encode())
    run_service.deploy(Job(name="mmm-trainer", command=SLEEP, grace=0.2))
    launcher = CloudRunLauncher.connect(JOB, endpoint=run_service.url)
    gate = Gate("configs")
    later = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr(requests, "now", lambda: later)
    one = message({"config_uri": f"{bucket}/configs/de.json"})
    with Proxy(gcs_server.url, gate).running() as proxy:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
        store: Store = open_store(bucket)
        if minutes:
            [result] = accept(one, store=store, publisher=topic, launcher=launcher)
            assert result.state is State.REJECTED
            assert "cannot be read" in str(result.problem)
            return
        with pytest.raises(TransientError, match="a new grant may take minutes"):
            accept(one, store=store, publisher=topic, launcher=launcher)
        gate.closed = False
        [result] = accept(one, store=store, publisher=topic, launcher=launcher)
    assert result.state is State.LAUNCHED
    assert list(topic.messages()) == []
