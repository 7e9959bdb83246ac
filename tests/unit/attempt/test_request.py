"""Which request an attempt works on: a stored one, or one made from a config."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from contract import layout
from contract.exceptions import ConfigError
from contract.request import Request, stored_request
from contract.run import State, read_status
from contract.stores.folder import FolderStore
from contract.topics.jsonl import FileTopic
from job.attempt.request import find_request
from job.lifecycle import work_on
from job.runtime.settings import Settings
from tests.unit.trigger.conftest import CONFIG, events_in
from trigger.accept import accept
from trigger.delivery import Delivery
from trigger.reconcile import reconcile

RUN = "20261123T020000Z-1a2b3c4d"


class Place:
    """A bucket, a topic and the path of a config that may not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.store = FolderStore(folder / "bucket")
        self.topic = FileTopic(folder / "events.jsonl")
        self.config = folder / "config.json"

    def find(self, attempt: int = 0, *, task: int = 0, run_id: str | None = None) -> Request:
        return find_request(
            self.settings(attempt, task=task, run_id=run_id), self.store, self.topic,
            via="execution", overrides={}, force=False,
        )  # fmt: skip

    def settings(self, attempt: int = 0, *, task: int = 0, run_id: str | None = None) -> Settings:
        return Settings.read(
            bucket=str(self.store.root), topic="x", config_uri=str(self.config), run_id=run_id,
            execution="by-hand", attempt=attempt, task_index=task, task_count=2, max_retries=1,
        )  # fmt: skip

    def write_config(self) -> None:
        self.config.write_text(json.dumps(CONFIG))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_an_execution_whose_config_was_missing_stays_rejected(place: Place) -> None:
    launcher: Any = None
    with pytest.raises(ConfigError) as first:
        place.find()
    assert dict(reconcile(place.store, place.topic, launcher).results) == {"closed": 1}
    place.write_config()
    for attempt, task in ((1, 0), (0, 1)):
        with pytest.raises(ConfigError) as again:
            place.find(attempt, task=task)
        assert again.value.run_id == first.value.run_id
        assert again.value.message == first.value.message
    [run_id] = place.store.folders("runs/")
    status = read_status(place.store, run_id)
    assert status is not None
    assert status.state is State.REJECTED
    assert stored_request(place.store, run_id) is None
    assert [event["state"] for event in events_in(place.topic)] == ["REJECTED"]


def test_a_task_that_cannot_read_the_config_joins_the_run_of_the_others(place: Place) -> None:
    place.write_config()
    request = place.find()
    place.config.unlink()
    assert place.find(task=1) == request
    assert events_in(place.topic) == []


def test_a_config_is_not_trained_under_the_id_of_another_request(place: Place) -> None:
    place.write_config()
    with pytest.raises(ConfigError, match=f"run `{RUN}` has no request .* leave out the run id"):
        place.find(run_id=RUN)
    assert list(place.store.list("runs/")) == []


def newer(place: Place, run_id: str) -> None:
    """Replace the run's request by one whose config has a field that this version lacks."""
    stored = stored_request(place.store, run_id)
    assert stored is not None
    config = {**stored.config, "novelty": {"level": 3}}
    origins = {**stored.origins, "novelty.level": "message"}
    request = stored.model_copy(update={"config": config, "origins": origins})
    place.store.write(layout.request(run_id), request.to_json())


class NoLauncher:
    """Cloud Run has no execution of any run."""

    def launch(self, launch: object) -> str:
        return "one"

    def find(self, run_id: str) -> list[object]:
        return []

    def get(self, name: str) -> None:
        return None


def test_a_request_of_a_newer_version_ends_with_a_sentence(place: Place) -> None:
    place.write_config()
    request = place.find()
    newer(place, request.run_id)
    log: Any = structlog.testing.CapturingLogger()
    ending = work_on(
        place.find(), place.settings(), place.store, place.topic, log=log, view=log
    )  # fmt: skip
    assert (ending.state, ending.exit_code) == (State.FAILED, 64)
    assert "a newer version accepted it; update the job's image" in str(ending.message)
    assert "`novelty`" in str(ending.message)
    assert [event["state"] for event in events_in(place.topic)] == ["FAILED"]


def test_a_request_of_a_newer_version_is_not_launched(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher: Any = NoLauncher()
    delivery = Delivery(
        message_id="1", publish_time="2026-11-23T02:00:00Z", topic="t",
        data=json.dumps({"config": CONFIG}).encode(),
    )  # fmt: skip
    monkeypatch.setattr("trigger.accept.check_age", lambda *_: None)
    [first] = accept(delivery, store=place.store, publisher=place.topic, launcher=launcher)
    place.store.delete(layout.status(first.run_id))
    newer(place, first.run_id)
    monkeypatch.setattr("trigger.launch.now", lambda: first_later(place, first.run_id))
    [again] = accept(delivery, store=place.store, publisher=place.topic, launcher=launcher)
    assert again.state is State.FAILED
    assert "newer version" in str(again.problem)
    assert [event["state"] for event in events_in(place.topic)] == ["FAILED"]


def first_later(place: Place, run_id: str) -> datetime:
    """Return a time at which the first launch claim is over."""
    stored = stored_request(place.store, run_id)
    assert stored is not None
    return stored.accepted_at + timedelta(hours=1)
