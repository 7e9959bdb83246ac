"""The stand-ins refuse what the cloud refuses: quotas, late grants, executions that are forgotten."""

from __future__ import annotations

import sys
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import pubsub_v1

from contract.exceptions import DeniedError, ServiceError
from contract.stores import open_store
from contract.topics.pubsub import PubSubTopic
from tests.fakes import cloud_run, late_iam, pubsub_limits
from tests.fakes.cloud_run import Job, Quotas
from tests.fakes.gcs import FakeGCS
from tests.fakes.late_iam import Gate, LateAccess
from tests.fakes.pubsub import Emulator
from trigger.cloud_run import CloudRunLauncher
from trigger.execution import Launch, NotStartedError

JOB = "projects/p/locations/l/jobs/train"
SLEEP = [sys.executable, "-c", "import time; time.sleep(30)"]
NOTHING = [sys.executable, "-c", ""]


def test_quotas_refuse_launches_with_429() -> None:
    with cloud_run.running(Quotas(running=1)) as service:
        service.deploy(Job(name="train", command=SLEEP, grace=0.1))
        launcher = CloudRunLauncher.connect(JOB, endpoint=service.url)
        first = launcher.launch(Launch(run_id="a"))
        with pytest.raises(NotStartedError):
            launcher.launch(Launch(run_id="b"))
        launcher.cancel(first)
        assert service.executions[first].done.wait(10)
        launcher.launch(Launch(run_id="b"))
        service.quotas = Quotas(runs_a_minute=2)
        with pytest.raises(NotStartedError):
            launcher.launch(Launch(run_id="c"))
        assert service.refused == 2


def test_an_execution_is_forgotten_some_time_after_its_end() -> None:
    with cloud_run.running(Quotas(kept_seconds=60)) as service:
        service.deploy(Job(name="train", command=NOTHING))
        launcher = CloudRunLauncher.connect(JOB, endpoint=service.url)
        name = launcher.launch(Launch(run_id="a"))
        assert service.executions[name].done.wait(20)
        assert launcher.get(name) is not None
        service.executions[name].ended_at = datetime.now(UTC) - timedelta(seconds=61)
        assert launcher.get(name) is None
        assert launcher.find("a") == []


def test_a_late_grant_names_the_permission_and_passes(
    gcs_server: FakeGCS, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(late_iam.STORAGE, seconds=0.5)
    gcs_server.create_bucket("late")
    with LateAccess(gcs_server.url, gate).running() as late:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", late.url)
        with pytest.raises(DeniedError, match=r"Permission 'storage\.objects\.get' denied"):
            open_store("gs://late").stat("a")
        store = open_store("gs://late", denied_seconds=20)  # as the job opens it
        assert store.stat("a") is None
    assert gate.denied > 1


def test_a_late_grant_of_pubsub_passes_the_messages_on(
    pubsub_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(late_iam.PUBLISH, seconds=1.0)
    with late_iam.grpc_behind(pubsub_emulator.host, gate) as host:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", host)
        monkeypatch.setenv("MMM_PROJECT", "p")
        topic = PubSubTopic.connect("projects/p/topics/events")
        with pytest.raises(DeniedError, match=r"pubsub\.topics\.publish"):
            topic.publish(b"x", {})
        time.sleep(1.0)
        with pytest.raises(ServiceError, match="there is no topic"):
            topic.publish(b"x", {})


def test_pubsub_refuses_what_exceeds_its_limits(
    pubsub_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pubsub_limits.limited(pubsub_emulator.host) as host:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", host)
        name = f"projects/p-{uuid.uuid4().hex[:8]}/topics/events"
        pubsub_v1.PublisherClient().create_topic(name=name)
        topic = PubSubTopic.connect(name)
        assert topic.publish(b"x" * 9_990_000, {"a" * 256: "b" * 1024})
        for data, attributes, said in (
            (b"x" * 10_000_000, {}, "has 10000000 bytes and 0 attributes.*at most 10 MB"),
            (b"x", {"a": "b" * 1025}, "value that is too long.*1025.*maximum allowed is 1024"),
            (b"x", {"a" * 257: "b"}, "attribute name"),
            (b"x", {f"a{number}": "b" for number in range(101)}, "101 attributes"),
        ):
            with pytest.raises(ServiceError, match=said) as caught:
                topic.publish(data, attributes)
            assert caught.value.exit_code == 69
