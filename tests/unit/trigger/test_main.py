"""The function served as the platform serves it, by real HTTP in every form of delivery."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from contract.run import State, read_status
from contract.stores import Store, open_store
from contract.topics.jsonl import FileTopic
from mmm.local.tasks import LocalExecution
from tests.fakes import cloud_run, eventarc, function
from tests.fakes.cloud_run import FakeCloudRun, Job
from tests.fakes.function import Function
from tests.fakes.gcs import FakeGCS
from tests.fakes.proxy import Fault, Kind, Proxy
from tests.unit.trigger.conftest import CONFIG, JOB, SLEEP, TOPIC, events_in


@dataclass
class World:
    """A served function and what it talks to."""

    function: Function
    service: FakeCloudRun
    proxy: Proxy
    topic: FileTopic
    store: Store

    def runs(self, message_id: str) -> list[LocalExecution]:
        """Executions of a message's run."""
        return self.service.of_run(self.run_id(message_id))

    def run_id(self, message_id: str) -> str:
        for line in map(json.loads, self.function.lines()):
            labels = line["logging.googleapis.com/labels"]
            if labels.get("message_id") == message_id and "run_id" in labels:
                return str(labels["run_id"])
        raise LookupError(message_id)

    def events(self, message_id: str) -> list[str]:
        run_id = self.run_id(message_id)
        return [e["state"] for e in events_in(self.topic) if e["run_id"] == run_id]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, gcs_server: FakeGCS) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("function")
    gcs_server.create_bucket("function-tests")
    topic = FileTopic(folder / "events.jsonl")
    with (
        pytest.MonkeyPatch.context() as patch,
        cloud_run.running() as service,
        Proxy(service.url).running() as proxy,
    ):
        patch.setenv("STORAGE_EMULATOR_HOST", gcs_server.url)
        service.deploy(Job(name="mmm-trainer", command=SLEEP, grace=0.2))
        env = {
            "MMM_BUCKET": "gs://function-tests",
            "MMM_EVENTS_TOPIC": str(topic.path),
            "MMM_JOB": JOB,
            "MMM_RUN_ENDPOINT": proxy.url,
            "MMM_PROJECT": "demo-proj",
            "STORAGE_EMULATOR_HOST": gcs_server.url,
        }
        source = function.unpack(folder)
        store = open_store("gs://function-tests")
        with function.running(source, env, log=folder / "function.log") as served:
            yield World(served, service, proxy, topic, store)


@pytest.fixture
def message_id() -> str:
    return uuid.uuid4().hex


def body(data: Any, *, message_id: str, **attributes: str) -> dict[str, Any]:
    """A push body as the emulator sends it."""
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    message = {
        "messageId": message_id,
        "message_id": message_id,
        "publishTime": at,
        "publish_time": at,
        "attributes": attributes,
    }
    if data is not None:
        raw = data if isinstance(data, bytes) else json.dumps(data).encode()
        message["data"] = base64.b64encode(raw).decode()
    return {"message": message, "subscription": "projects/demo-proj/subscriptions/push"}


def binary(world: World, push: dict[str, Any]) -> int:
    return eventarc.post(
        world.function.url, json.dumps(push).encode(), eventarc.headers(push["message"], TOPIC)
    )


def structured(world: World, push: dict[str, Any]) -> int:
    headers = eventarc.headers(push["message"], TOPIC)
    event = {k.removeprefix("ce-"): v for k, v in headers.items() if k.startswith("ce-")}
    return eventarc.post(
        world.function.url,
        json.dumps({**event, "datacontenttype": "application/json", "data": push}).encode(),
        {"Content-Type": "application/cloudevents+json"},
    )


def raw(world: World, push: dict[str, Any]) -> int:
    return eventarc.post(
        f"{world.function.url}{TOPIC}",
        json.dumps(push).encode(),
        {"Content-Type": "application/json"},
    )


def test_every_form_of_delivery_gives_the_same_run(world: World, message_id: str) -> None:
    push = body({"config": CONFIG}, message_id=message_id)
    assert [send(world, push) for send in (binary, structured, raw)] == [200, 200, 200]
    [execution] = world.runs(message_id)
    status = read_status(world.store, world.run_id(message_id))
    assert status is not None
    assert (status.state, status.execution) == (State.LAUNCHED, execution.name)

    line = next(json.loads(line) for line in world.function.lines() if message_id in line)
    assert line["severity"] == "INFO"
    labels = line["logging.googleapis.com/labels"]
    assert labels["run_id"] == execution.env["MMM_RUN_ID"]
    assert (labels["market"], labels["execution"]) == ("DE", execution.name)


@pytest.mark.parametrize("send", [binary, structured, raw])
@pytest.mark.parametrize("data", [None, b"", b"no json: [", {"config": {}}])
def test_poison_is_acknowledged_kept_and_told(
    world: World, message_id: str, send: Any, data: Any
) -> None:
    for _ in range(2):
        assert send(world, body(data, message_id=message_id, reason="none")) == 200
    assert world.events(message_id) == ["REJECTED"]
    assert len(list(world.store.list(f"rejected/{world.run_id(message_id)}"))) == 1


def test_a_busy_service_makes_the_delivery_fail_until_it_answers(
    world: World, message_id: str
) -> None:
    push = body({"config": CONFIG}, message_id=message_id)
    world.proxy.decide = lambda call: (
        Fault(kind=Kind.STATUS, status=429) if call.method == "POST" else None
    )
    assert binary(world, push) == 503
    world.proxy.decide = lambda call: None
    assert binary(world, push) == 200
    assert len(world.runs(message_id)) == 1
    assert world.events(message_id) == []
    first, second = (json.loads(line) for line in world.function.lines() if message_id in line)
    assert (first["severity"], second["severity"]) == ("WARNING", "INFO")


def test_what_is_no_push_at_all_is_refused(world: World) -> None:
    before = len(world.service.executions)
    for data, kind in ((b"{}", "application/json"), (b"", ""), (b"[1", "application/json")):
        status = eventarc.post(world.function.url, data, {"Content-Type": kind} if kind else {})
        assert 400 <= status < 500
    assert len(world.service.executions) == before
