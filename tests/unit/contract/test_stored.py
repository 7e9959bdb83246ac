"""Objects of the bucket that a newer version wrote, or another run's, read by this one."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from contract import layout
from contract.config import Config
from contract.events import Event, EventData, Outbox
from contract.exceptions import ConfigError, DamagedError
from contract.lease import Lease
from contract.loading import load_config
from contract.market import DailyRuns, Market, Waiting
from contract.request import Origin, Request
from contract.run import (
    LaunchClaim,
    RunError,
    State,
    Status,
    change_status,
    now,
    read_status,
)
from contract.stored import Stored
from contract.stores.folder import FolderStore

RUN = "20261123T020000Z-1a2b3c4d"
CONFIG = {
    "version": 1,
    "market": "DE",
    "revision": "r1",
    "source": {"type": "file", "path": "data.csv"},
    "date": {"column": "DATE"},
    "target": {"column": "REVENUE"},
    "channels": [{"name": "tv", "spend": "TV_COST"}],
}


def request(**changes: Any) -> Request:
    resolved = load_config(CONFIG, origin="message")
    fields = {
        "config": resolved.config.model_dump(mode="json"),
        "origins": resolved.origins,
        **changes,
    }
    return Request(
        run_id=RUN,
        market="DE",
        revision="r1",
        config_hash=resolved.config.hash(),
        origin=Origin(via="pubsub"),
        accepted_at=now(),
        nonce=uuid.uuid4().hex,
        **fields,
    )


STORED: list[Stored] = [
    request(),
    Status(
        run_id=RUN,
        state=State.ACCEPTED,
        market="DE",
        revision="r1",
        created_at=now(),
        updated_at=now(),
        launch=LaunchClaim(nonce="n", until=now()),
        error=RunError(code=75, kind="TransientError", message="away"),
    ),
    Lease(owner="o", execution="e", task=0, attempt=0, nonce="n"),
    Market(
        holder=RUN,
        waiting=[Waiting(accepted_at=now(), run_id=RUN)],
        today=DailyRuns(day=now().date(), runs=[RUN]),
    ),
    Outbox(event=Event.of(EventData(run_id=RUN, state=State.SUCCEEDED))),
]


def with_more(value: Any, inside: str = "") -> Any:
    """The document with a field more in every mapping of the contract's own."""
    if isinstance(value, list):
        return [with_more(item, inside) for item in value]
    if not isinstance(value, dict):
        return value
    free = {"config", "origins", "progress", "outcome", "best_model"}
    kept = {key: child if key in free else with_more(child, key) for key, child in value.items()}
    return {**kept, "of_a_newer_version": {"a": 1}}


@pytest.mark.parametrize("stored", STORED, ids=lambda one: type(one).__name__)
def test_unknown_fields_are_left_out(stored: Stored) -> None:
    newer = json.dumps(with_more(json.loads(stored.to_json()))).encode()
    assert newer.count(b"of_a_newer_version") >= 1
    assert type(stored).from_json(newer) == stored


@pytest.mark.parametrize("stored", STORED, ids=lambda one: type(one).__name__)
def test_known_fields_are_checked(stored: Stored) -> None:
    document = json.loads(stored.to_json())
    for name, field in type(stored).model_fields.items():
        if field.is_required():
            broken = {key: value for key, value in document.items() if key != name}
            with pytest.raises(DamagedError, match=name):
                type(stored).from_json(json.dumps(broken).encode())


@pytest.mark.parametrize("stored", STORED, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("other", [b"{}", b'{"version":9}'])
def test_an_object_without_a_known_field_is_damaged(stored: Stored, other: bytes) -> None:
    with pytest.raises(DamagedError):  # a market would be free, and a day without runs
        type(stored).from_json(other)


@pytest.mark.parametrize("named", ["20261124T000000Z-00000000", "a" * 70_000, "../x", None])
def test_an_object_of_another_run_is_damaged(tmp_path: Path, named: object) -> None:
    store = FolderStore(tmp_path)
    status = next(one for one in STORED if isinstance(one, Status))
    document = {**json.loads(status.to_json()), "run_id": named}
    store.write(layout.status(status.run_id), json.dumps(document).encode())
    for read in (
        lambda: read_status(store, status.run_id),
        lambda: change_status(store, status.run_id, lambda old: {"attempt": old.attempt + 1}),
    ):
        with pytest.raises(DamagedError, match="it belongs to run"):
            read()


@pytest.mark.parametrize("origin", ["default", "preset test"])
def test_a_newer_config_is_read_where_its_new_fields_were_not_set(origin: str) -> None:
    made = request()
    made.config["training"]["momentum"] = 0.5
    made.config["channels"][0]["decay"] = None
    made.config["alerts"] = {"mail": None}
    made.origins.update(
        {"training.momentum": origin, "channels[0].decay": "default", "alerts.mail": "default"}
    )
    assert made.read_config() == Config.model_validate(CONFIG)


@pytest.mark.parametrize("origins", [{"training.momentum": "gs://b/de.yaml"}, {}])
def test_a_newer_config_is_refused_where_they_were(origins: dict[str, str]) -> None:
    made = request()
    made.config["training"]["momentum"] = 0.5
    made.origins.update(origins)
    with pytest.raises(ConfigError, match=r"`training\.momentum` is not a known field"):
        made.read_config()
