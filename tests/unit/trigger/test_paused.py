"""A paused market: nothing is launched or trained, and each of its runs says why."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contract import layout
from contract.exceptions import PausedError
from contract.market import Market, take_market
from contract.request import stored_request
from contract.run import State, change_status, read_status
from contract.stores import Store
from contract.topics.jsonl import FileTopic
from mmm.pauses import pause, resume
from tests.fakes.cloud_run import FakeCloudRun
from tests.unit.damage.conftest import Scene, finished, protocol, scene  # noqa: F401
from tests.unit.trigger.conftest import CONFIG, events_in
from trigger.accept import accept
from trigger.cloud_run import CloudRunLauncher
from trigger.delivery import Delivery
from trigger.reconcile import reconcile

Make = Callable[..., Delivery]


def test_a_message_ends_as_skipped_until_the_market_is_resumed(
    store: Store,
    topic: FileTopic,
    launcher: CloudRunLauncher,
    run_service: FakeCloudRun,
    message: Make,
) -> None:
    pause(store, "DE", by="jo@desk", reason="no data until Friday")
    fr = {"config": {**CONFIG, "market": "FR"}}
    scheduled = message(source="scheduler/de")
    for _ in range(2):  # a redelivery gets the same answer
        [skipped] = accept(scheduled, store=store, publisher=topic, launcher=launcher)
        assert skipped.state is State.SKIPPED
        assert "jo@desk: no data until Friday" in str(skipped.problem)
        assert "`mmm resume DE` ends the pause" in str(skipped.problem)
    assert run_service.executions == {}
    [event] = events_in(topic)
    assert (event["state"], event["market"]) == ("SKIPPED", "DE")
    [other] = accept(message(fr, message_id="2"), store=store, publisher=topic, launcher=launcher)
    assert other.state is State.LAUNCHED

    resume(store, "DE")
    [again] = accept(scheduled, store=store, publisher=topic, launcher=launcher)
    assert again.state is State.SKIPPED
    [later] = accept(message(message_id="3"), store=store, publisher=topic, launcher=launcher)
    assert later.state is State.LAUNCHED


def test_a_run_that_waits_for_its_market_ends_at_the_next_pass(
    store: Store,
    topic: FileTopic,
    launcher: CloudRunLauncher,
    run_service: FakeCloudRun,
    message: Make,
) -> None:
    [first] = accept(message(), store=store, publisher=topic, launcher=launcher)
    [second] = accept(message(message_id="2"), store=store, publisher=topic, launcher=launcher)
    store.write(layout.market("DE"), Market(holder=first.run_id).to_json())
    left = str(second.execution).rpartition("/")[2]
    waits = {"state": State.ACCEPTED, "execution": None, "launch": None, "left": [left]}
    change_status(store, second.run_id, lambda old: {**waits, "waits_for": first.run_id})
    pause(store, "DE", by="jo@desk", reason="no data")
    reconcile(store, topic, launcher)
    status = read_status(store, second.run_id)
    assert status is not None
    assert status.state is State.SKIPPED
    assert len(run_service.executions) == 2
    assert [event["state"] for event in events_in(topic)] == ["SKIPPED"]


def test_a_pause_that_cannot_be_read_counts(
    store: Store, topic: FileTopic, launcher: CloudRunLauncher, message: Make
) -> None:
    store.write(layout.paused("DE"), b"torn")
    [skipped] = accept(message(), store=store, publisher=topic, launcher=launcher)
    assert skipped.state is State.SKIPPED
    assert "`paused/DE.json` is damaged" in str(skipped.problem)


def test_a_run_that_holds_its_market_continues(
    store: Store, topic: FileTopic, launcher: CloudRunLauncher, message: Make
) -> None:
    ids = [
        accept(message(message_id=n), store=store, publisher=topic, launcher=launcher)[0].run_id
        for n in "12"
    ]
    first, second = (stored_request(store, run_id) for run_id in ids)
    assert first is not None
    assert second is not None
    assert take_market(store, first) is None
    pause(store, "DE", by="jo@desk", reason="no data")
    assert take_market(store, first) is None
    with pytest.raises(PausedError):
        take_market(store, second)


def test_a_run_of_a_person_says_that_its_market_is_paused(scene: Scene) -> None:  # noqa: F811
    pause(scene.store, "DE", by="jo@desk", reason="no data")
    ending = scene.work(scene.accept("DE", 2))
    assert (ending.state, ending.exit_code) == (State.SKIPPED, 0)
    assert "by jo@desk: no data" in str(ending.message)
    assert scene.topic.events[-1]["data"]["error"]["kind"] == "PausedError"
    assert scene.current("DE") == scene.id_of("DE", 1)
