"""Accepting messages, against folders and against the real Cloud Storage and Cloud Run clients."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contract import layout, runid
from contract.exceptions import TransientError
from contract.request import Request, stored_request
from contract.run import State, create_status, read_status
from contract.stores import Store, open_store
from contract.topics.jsonl import FileTopic
from tests.fakes.cloud_run import FakeCloudRun
from tests.faults.model import Watched
from tests.unit.trigger.conftest import CONFIG, events_in
from trigger.accept import accept
from trigger.cloud_run import CloudRunLauncher
from trigger.delivery import Delivery

Make = Callable[..., Delivery]


def test_a_message_gives_a_stored_request_and_one_execution(
    store: Store,
    topic: FileTopic,
    launcher: CloudRunLauncher,
    run_service: FakeCloudRun,
    message: Make,
) -> None:
    [outcome] = accept(message(), store=store, publisher=topic, launcher=launcher)

    assert outcome.state is State.LAUNCHED
    assert outcome.new
    [execution] = run_service.of_run(outcome.run_id)
    assert outcome.execution == execution.name
    assert execution.timeout == 120 * 60
    request = Request.from_json(store.read(layout.request(outcome.run_id)).data)
    assert request.config["training"]["trials"] == 5
    assert request.origins["market"] == "message"
    assert request.origin.message_id == "1"
    status = read_status(store, outcome.run_id)
    assert status is not None
    assert (status.state, status.execution) == (State.LAUNCHED, execution.name)
    assert events_in(topic) == []


def test_a_redelivery_changes_nothing(
    store: Store,
    topic: FileTopic,
    launcher: CloudRunLauncher,
    run_service: FakeCloudRun,
    message: Make,
) -> None:
    delivered = message()
    [first] = accept(delivered, store=store, publisher=topic, launcher=launcher)
    before = store.read(layout.request(first.run_id))
    [second] = accept(delivered, store=store, publisher=topic, launcher=launcher)

    assert not second.new
    assert (second.run_id, second.execution) == (first.run_id, first.execution)
    assert store.read(layout.request(first.run_id)) == before
    assert len(run_service.executions) == 1


def test_deliveries_at_once_launch_once(
    store: Store,
    topic: FileTopic,
    launcher: CloudRunLauncher,
    run_service: FakeCloudRun,
    message: Make,
) -> None:
    delivered = message()

    def deliver(_: int) -> object:
        try:
            return accept(delivered, store=store, publisher=topic, launcher=launcher)[0].execution
        except TransientError as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(deliver, range(8)))

    [execution] = run_service.executions
    assert {r for r in results if isinstance(r, str)} == {execution}


def test_markets_get_a_run_each(
    store: Store, topic: FileTopic, launcher: CloudRunLauncher, message: Make
) -> None:
    outcomes = accept(
        message({"config": CONFIG, "markets": ["DE", "FR"]}),
        store=store,
        publisher=topic,
        launcher=launcher,
    )
    assert [outcome.market for outcome in outcomes] == ["DE", "FR"]
    assert len({outcome.run_id for outcome in outcomes}) == 2
    assert len({outcome.execution for outcome in outcomes}) == 2


def test_equal_keys_give_one_run_whatever_the_message(
    store: Store,
    topic: FileTopic,
    launcher: CloudRunLauncher,
    run_service: FakeCloudRun,
    message: Make,
) -> None:
    early = datetime.now(UTC) - timedelta(hours=3)
    given = [
        message(message_id="1", at=early, idempotency_key="nightly-2026-11-23"),
        message(message_id="2", idempotency_key="nightly-2026-11-23"),
        message({"config": CONFIG, "idempotency_key": "nightly-2026-11-23"}, message_id="3"),
    ]
    runs = {accept(one, store=store, publisher=topic, launcher=launcher)[0].run_id for one in given}
    assert len(runs) == 1
    assert len(run_service.executions) == 1


def test_a_request_of_ones_own_key_is_found_by_its_run(
    store: Store, topic: FileTopic, launcher: CloudRunLauncher, message: Make
) -> None:
    one = message(idempotency_key="nightly")
    [outcome] = accept(one, store=store, publisher=topic, launcher=launcher)
    assert store.stat(layout.request(outcome.run_id)) is None
    first, again = stored_request(store, outcome.run_id), stored_request(store, outcome.run_id)
    assert first is not None
    assert first == again
    assert (first.run_id, first.origin.message_id) == (outcome.run_id, "1")
    assert store.read(layout.request(outcome.run_id)).data == first.to_json()
    other = f"20200101T000000Z-{outcome.run_id[-8:]}"
    assert stored_request(store, other) is None


def test_a_key_of_an_older_version_keeps_its_run_id(
    store: Store,
    topic: FileTopic,
    launcher: CloudRunLauncher,
    run_service: FakeCloudRun,
    message: Make,
) -> None:
    known = runid.for_key(store, "nightly", datetime.now(UTC) - timedelta(days=1))
    for number in ("1", "2"):
        one = message(message_id=number, idempotency_key="nightly")
        [outcome] = accept(one, store=store, publisher=topic, launcher=launcher)
        assert (outcome.run_id, outcome.new) == (known, number == "1")
    assert len(run_service.executions) == 1


def test_no_first_delivery_takes_more_than_four_store_operations(
    topic: FileTopic, launcher: CloudRunLauncher, message: Make, tmp_path: Path
) -> None:
    calls: list[str] = []
    store = open_store(str(tmp_path / "bucket"))
    store.write("configs/de.json", json.dumps(CONFIG).encode())
    counting: Any = Watched(store, lambda: calls.append("call"))
    uri = f"{store.url}/configs/de.json"
    for number, (data, more) in enumerate(
        itertools.product([{"config": CONFIG}, {"config_uri": uri}], [{}, {"idempotency_key": "k"}])
    ):
        calls.clear()
        given = {name: f"{key}{number}" for name, key in more.items()}
        one = message(data, message_id=str(number), **given)
        [outcome] = accept(one, store=counting, publisher=topic, launcher=launcher)
        assert outcome.state is State.LAUNCHED
        assert len(calls) <= 4, (data, more)


def test_a_config_of_the_bucket_is_read_with_overrides(
    store: Store, topic: FileTopic, launcher: CloudRunLauncher, message: Make
) -> None:
    store.write("configs/de.yaml", json.dumps(CONFIG).encode())
    uri = f"{store.url}/configs/de.yaml"
    [outcome] = accept(
        message({"config_uri": uri, "overrides": {"training": {"trials": 2}}}),
        store=store,
        publisher=topic,
        launcher=launcher,
    )
    request = Request.from_json(store.read(layout.request(outcome.run_id)).data)
    assert request.config["training"]["trials"] == 2
    assert request.origins["training.trials"] == "override"
    assert request.origins["market"] == uri
    [execution] = launcher.find(outcome.run_id)
    assert execution.env["MMM_CONFIG_URI"] == uri


BROKEN = [
    (b"", "the message has no data; allowed: a JSON object with `config_uri` or `config`"),
    (b'"hello"', "the message is text; allowed: a JSON object with `config_uri` or `config`"),
    (b"gs://b/de.yaml", 'e.g. {"config_uri": "gs://b/de.yaml"}'),
    (b"5", "the message is a number; allowed: a JSON object"),
    (b"null", "the message is empty; allowed: a JSON object"),
    (b"{", "not valid YAML"),
    (b"[1, 2]", "the message is a list; allowed: a JSON object"),
    (b"\xff\xfe\x00", "not UTF-8"),
    ({"confg": {}}, "Did you mean `config`?"),
    ({"config": {**CONFIG, "chanels": []}}, "Did you mean `channels`?"),
    ({"config": {**CONFIG, "market": "../x"}}, "`market` is `../x`"),
    (
        {"config_uri": "gs://no-such-bucket-of-ours/x.yaml"},
        "the config `gs://no-such-bucket-of-ours/x.yaml` does not exist",
    ),
    ({"config_uri": "http://elsewhere/x.yaml"}, "`config_uri`"),
    ({"config": CONFIG, "mode": "refresh"}, "not supported yet"),
    ({"config": CONFIG, "markets": ["A", "B"], "run_id": "20261123T020000Z-1a2b3c4d"}, "`run_id`"),
    ({"config": CONFIG, "idempotency_key": "x" * 600}, "`idempotency_key`"),
]


@pytest.mark.parametrize(("data", "says"), BROKEN)
def test_what_can_never_run_is_kept_and_told_once(
    gcs_store: Store,
    topic: FileTopic,
    launcher: CloudRunLauncher,
    run_service: FakeCloudRun,
    message: Make,
    data: object,
    says: str,
) -> None:
    delivered = message(data)
    for _ in range(2):
        [outcome] = accept(delivered, store=gcs_store, publisher=topic, launcher=launcher)
        assert outcome.state is State.REJECTED
        assert outcome.problem is not None
        assert says in outcome.problem
    assert run_service.executions == {}
    [kept] = gcs_store.list("rejected/")
    record = json.loads(gcs_store.read(kept.path).data)
    assert says in record["error"]["message"]
    assert record["error"]["code"] == 64
    [event] = events_in(topic)
    assert (event["type"], event["run_id"]) == ("mmm.run.rejected", outcome.run_id)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"force": true}'])
@pytest.mark.parametrize("name", ["config_uri", "config"])
def test_a_config_among_the_attributes_is_pointed_out(
    gcs_store: Store,
    topic: FileTopic,
    launcher: CloudRunLauncher,
    message: Make,
    data: bytes,
    name: str,
) -> None:
    delivered = message(data, **{name: "gs://b/de.yaml"})
    [outcome] = accept(delivered, store=gcs_store, publisher=topic, launcher=launcher)
    assert outcome.state is State.REJECTED
    assert f"`{name}` is among the attributes: put it into the data" in str(outcome.problem)


def test_data_that_is_not_base64_is_rejected(
    gcs_store: Store, topic: FileTopic, launcher: CloudRunLauncher
) -> None:
    delivered = Delivery.from_body(
        {"message": {"messageId": "7", "publishTime": "2026-11-23T02:00:00Z", "data": "%%%"}}
    )
    [outcome] = accept(delivered, store=gcs_store, publisher=topic, launcher=launcher)
    assert outcome.problem is not None
    assert "base64" in outcome.problem


def test_an_old_message_is_dropped_unless_its_run_exists(
    gcs_store: Store,
    topic: FileTopic,
    launcher: CloudRunLauncher,
    run_service: FakeCloudRun,
    message: Make,
) -> None:
    at = datetime.now(UTC) - timedelta(days=3)
    known = message(message_id="1", at=at)
    [accepted] = accept(
        known, store=gcs_store, publisher=topic, launcher=launcher, max_age=timedelta(days=9)
    )
    [again] = accept(known, store=gcs_store, publisher=topic, launcher=launcher)
    assert again.run_id == accepted.run_id
    assert again.state is State.LAUNCHED

    [dropped] = accept(
        message(message_id="2", at=at), store=gcs_store, publisher=topic, launcher=launcher
    )
    assert dropped.state is State.REJECTED
    assert dropped.problem is not None
    assert "72.0 hours ago; allowed: at most 48" in dropped.problem
    assert len(run_service.executions) == 1


def test_a_config_that_broke_after_acceptance_does_not_reject_the_run(
    gcs_store: Store, topic: FileTopic, launcher: CloudRunLauncher, message: Make
) -> None:
    gcs_store.write("configs/de.yaml", json.dumps(CONFIG).encode())
    delivered = message({"config_uri": f"{gcs_store.url}/configs/de.yaml"})
    [first] = accept(delivered, store=gcs_store, publisher=topic, launcher=launcher)
    gcs_store.write("configs/de.yaml", b"market: [")
    [second] = accept(delivered, store=gcs_store, publisher=topic, launcher=launcher)
    assert (second.run_id, second.state) == (first.run_id, State.LAUNCHED)
    assert events_in(topic) == []


def test_a_launch_that_is_refused_ends_the_run_with_an_event(
    gcs_store: Store, topic: FileTopic, run_service: FakeCloudRun, message: Make
) -> None:
    nowhere = CloudRunLauncher.connect(
        "projects/p/locations/l/jobs/missing", endpoint=run_service.url
    )
    [outcome] = accept(message(), store=gcs_store, publisher=topic, launcher=nowhere)
    assert outcome.state is State.FAILED
    assert outcome.problem is not None
    assert "missing" in outcome.problem
    status = read_status(gcs_store, outcome.run_id)
    assert status is not None
    assert status.error is not None
    assert (status.error.code, status.error.step) == (69, "launch")
    assert [event["type"] for event in events_in(topic)] == ["mmm.run.failed"]


def test_a_status_that_the_job_wrote_first_keeps_its_state(
    gcs_store: Store, topic: FileTopic, launcher: CloudRunLauncher, message: Make
) -> None:
    delivered = message()
    [first] = accept(delivered, store=gcs_store, publisher=topic, launcher=launcher)
    status = read_status(gcs_store, first.run_id)
    assert status is not None
    gcs_store.delete(layout.status(first.run_id))
    running = status.model_copy(update={"state": State.RUNNING, "execution": "mmm-trainer-x"})
    assert create_status(gcs_store, running)
    [again] = accept(delivered, store=gcs_store, publisher=topic, launcher=launcher)
    assert (again.state, again.execution) == (State.RUNNING, "mmm-trainer-x")
