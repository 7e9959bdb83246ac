"""Run ids, states, events and rejections."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract import events, layout, runid
from contract.events import Event, EventData
from contract.exceptions import ConfigError, ServiceError
from contract.rejection import reject
from contract.run import State, Status, change_status, create_status, now, read_status
from contract.stores.folder import FolderStore
from contract.terminal import publish_end
from contract.topics.jsonl import FileTopic

AT = datetime(2026, 11, 23, 2, tzinfo=UTC)
RUN = "20261123T020000Z-1a2b3c4d"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "bucket")


@pytest.fixture
def topic(tmp_path: Path) -> FileTopic:
    return FileTopic(tmp_path / "events.jsonl")


def status(state: State) -> Status:
    return Status(
        run_id=RUN, state=state, market="DE", revision="r1", created_at=now(), updated_at=now()
    )


def test_one_key_one_id(store: FolderStore) -> None:
    first = runid.for_key(store, "nightly-de", AT)
    assert first == runid.for_key(store, "nightly-de", AT.replace(hour=5))
    assert first.startswith("20261123T020000Z-")
    assert runid.is_valid(first)
    assert runid.for_key(store, "nightly-fr", AT) != first


def test_a_terminal_state_never_changes(store: FolderStore) -> None:
    assert create_status(store, status(State.ACCEPTED))
    assert not create_status(store, status(State.ACCEPTED))
    change_status(store, RUN, lambda old: {"state": State.RUNNING})
    change_status(store, RUN, lambda old: {"state": State.SUCCEEDED})
    change_status(store, RUN, lambda old: {"state": State.FAILED})
    stored = read_status(store, RUN)
    assert stored is not None
    assert stored.state is State.SUCCEEDED


def test_an_event_is_published_once_and_has_one_id(store: FolderStore, topic: FileTopic) -> None:
    event = Event.of(EventData(run_id=RUN, state=State.SUCCEEDED, market="DE", revision="r1"))
    events.put(store, event)
    events.put(store, Event.of(EventData(run_id=RUN, state=State.SUCCEEDED)))
    assert events.flush(store, topic, RUN) == 1
    assert events.flush(store, topic, RUN) == 0
    (message,) = topic.messages()
    assert message["attributes"]["type"] == "mmm.run.succeeded"
    assert message["attributes"]["market"] == "DE"


def test_an_event_waits_in_the_outbox_while_the_topic_is_down(
    store: FolderStore, topic: FileTopic, tmp_path: Path
) -> None:
    events.put(store, Event.of(EventData(run_id=RUN, state=State.FAILED)))
    (tmp_path / "blocked").write_text("a file, not a folder")
    with pytest.raises(ServiceError):
        events.flush(store, FileTopic(tmp_path / "blocked" / "events.jsonl"), RUN)
    assert events.flush(store, topic, RUN) == 1


def test_a_rejected_message_is_kept_and_told_once(store: FolderStore, topic: FileTopic) -> None:
    for _ in range(2):
        rejected = reject(
            store, run_id=RUN, body=b"{bad", attributes={"a": "b"}, error=ConfigError("bad")
        )
        publish_end(store, topic, rejected)
    [path] = [info.path for info in store.list(layout.REJECTED)]
    kept = json.loads(store.read(path).data)
    assert kept["error"]["message"] == "bad"
    assert [m["attributes"]["state"] for m in topic.messages()] == ["REJECTED"]
    assert layout.rejected("x").startswith("rejected/")
