"""A rejection is an end like any other: whatever comes after it finds the same answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract import runid
from contract.run import State, read_status
from contract.stores import Store, open_store
from contract.topics.jsonl import FileTopic
from mmm.cancel import cancel
from tests.fakes.cloud_run import FakeCloudRun
from tests.unit.trigger.conftest import CONFIG, events_in
from trigger.accept import MessageResult, accept
from trigger.cloud_run import CloudRunLauncher
from trigger.delivery import Delivery
from trigger.reconcile import reconcile
from trigger.requests import RUN_ID_AHEAD, RUN_ID_BEHIND

Make = Callable[..., Delivery]
Accept = Callable[[Delivery], list[MessageResult]]
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "bucket"))


@pytest.fixture
def take(store: Store, topic: FileTopic, launcher: CloudRunLauncher) -> Accept:
    return lambda delivery: accept(delivery, store=store, publisher=topic, launcher=launcher)


def write_config(store: Store) -> None:
    store.write("configs/de.yaml", json.dumps(CONFIG).encode())


@pytest.mark.parametrize("more", [{}, {"idempotency_key": "nightly"}])
@pytest.mark.parametrize("markets", [[], ["DE"], ["DE", "FR"]])
@pytest.mark.parametrize("settled", [False, True], ids=["at once", "after a pass"])
def test_a_rejected_message_that_could_run_later_stays_rejected(
    store: Store,
    topic: FileTopic,
    launcher: CloudRunLauncher,
    run_service: FakeCloudRun,
    message: Make,
    take: Accept,
    more: dict[str, str],
    markets: list[str],
    settled: bool,
) -> None:
    uri = f"{store.url}/configs/de.yaml"
    delivered = message({"config_uri": uri, **({"markets": markets} if markets else {})}, **more)
    first = take(delivered)
    assert {one.state for one in first} == {State.REJECTED}
    write_config(store)
    if settled:
        passed = reconcile(store, topic, launcher)
        assert (dict(passed.results), passed.problems) == ({"closed": len(first)}, [])
    again = take(delivered)
    assert [(one.run_id, one.state) for one in again] == [
        (one.run_id, State.REJECTED) for one in first
    ]
    assert "configs/de.yaml" in str(again[0].problem)
    for one in first:
        status = read_status(store, one.run_id)
        assert status is not None
        assert status.state is State.REJECTED
        assert cancel(one.run_id, store, topic, launcher).state is State.REJECTED
    assert run_service.executions == {}
    assert [event["state"] for event in events_in(topic)] == ["REJECTED"] * len(first)
    assert len(list(store.list("rejected/"))) == len(first)
    # A new message is a new run, even with the same key.
    newer = take(message(json.loads(delivered.data or b""), message_id="2", **more))
    assert {one.state for one in newer} == {State.LAUNCHED}


def test_a_message_that_a_newer_version_would_understand_stays_rejected(
    message: Make, take: Accept, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered = message({"config": CONFIG, "markets": ["DE", "FR"], "mode": "plan"})
    [first] = take(delivered)
    monkeypatch.setattr("contract.message.Message._faults", lambda _: iter(()))
    assert take(delivered) == [first]
    assert first.state is State.REJECTED


def test_a_run_id_that_was_rejected_cannot_be_asked_for(
    message: Make, take: Accept, run_service: FakeCloudRun
) -> None:
    [rejected] = take(message(b"{"))
    [again] = take(message({"config": CONFIG, "run_id": rejected.run_id}, message_id="2"))
    assert (again.run_id, again.state) == (rejected.run_id, State.REJECTED)
    assert run_service.executions == {}


def test_a_rejection_cannot_end_a_run_that_was_accepted(
    store: Store, message: Make, take: Accept
) -> None:
    delivered = message()
    [accepted] = take(delivered)
    broken = Delivery(**{**vars(delivered), "data": b"{"})
    [again] = take(broken)
    assert (again.run_id, again.state) == (accepted.run_id, State.LAUNCHED)
    assert list(store.list("rejected/")) == []


def test_different_keys_give_different_runs(message: Make, take: Accept) -> None:
    def run_of(key: str, number: str, *markets: str) -> str:
        data = {"config": CONFIG, **({"markets": list(markets)} if markets else {})}
        [one] = take(message(data, message_id=number, idempotency_key=key))
        assert one.state is State.LAUNCHED
        return one.run_id

    first = message(message_id="1")
    [plain] = take(first)
    found = {
        plain.run_id,
        run_of("k", "2"),
        run_of("k", "3", "DE"),
        run_of("k|DE", "4"),
        run_of('["market", "k", "DE"]', "5"),
        run_of(f"{first.topic}|1|{first.publish_time}", "6"),
        run_of(first.key.removeprefix(runid.MADE), "7"),
        run_of("k|DE", "8", "FR"),
        run_of("k", "9", "FR"),
    }
    assert len(found) == 9
    assert run_of("k", "10", "DE") in found


def test_a_key_cannot_be_one_that_we_make(message: Make, take: Accept) -> None:
    key = message().key
    [refused] = take(message(message_id="2", idempotency_key=key))
    assert refused.state is State.REJECTED
    assert "U+001F" in str(refused.problem)


@pytest.mark.parametrize(
    ("offset", "taken"),
    [
        (RUN_ID_AHEAD - HOUR, True),
        (HOUR - RUN_ID_BEHIND, True),
        (RUN_ID_AHEAD + HOUR, False),
        (timedelta(days=365), False),
        (-RUN_ID_BEHIND - HOUR, False),
    ],
)
def test_a_run_id_is_checked_against_the_clock(
    message: Make, take: Accept, offset: timedelta, taken: bool
) -> None:
    run_id = runid.make("k", datetime.now(UTC) + offset)
    [one] = take(message({"config": CONFIG, "run_id": run_id}))
    assert (one.state is State.LAUNCHED) is taken
    assert taken or f"`run_id` is `{run_id}`" in str(one.problem)


def test_a_run_id_that_is_no_time_is_refused(message: Make, take: Accept) -> None:
    [one] = take(message({"config": CONFIG, "run_id": "20261399T250000Z-1a2b3c4d"}))
    assert one.state is State.REJECTED
    assert "`run_id`" in str(one.problem)
