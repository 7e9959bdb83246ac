"""Which run a market's `current.json` names: the one that was accepted last."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract import layout
from contract.base import canonical_json
from contract.stores.folder import FolderStore
from job.outputs.promote import promote

OLD, NEW = "20261123T020000Z-aaaaaaaa", "20261124T020000Z-bbbbbbbb"
FUTURE = "20991123T020000Z-cccccccc"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "bucket")


def at(minutes: float) -> datetime:
    return datetime.now(UTC) + minutes * MINUTE


def move(store: FolderStore, run_id: str, accepted_at: datetime) -> bool:
    return promote(
        store, run_id=run_id, market="DE", revision="r1", accepted_at=accepted_at, facts={}
    )


def current(store: FolderStore) -> str:
    return str(json.loads(store.read(layout.current("r1", "DE")).data)["run_id"])


def test_the_run_that_was_accepted_last_is_current_whatever_its_id(store: FolderStore) -> None:
    assert move(store, FUTURE, at(-9))
    assert move(store, OLD, at(-5))
    assert not move(store, NEW, at(-7))
    assert current(store) == OLD


def test_a_time_that_has_not_come_pins_nothing(store: FolderStore) -> None:
    assert move(store, OLD, at(1e6))
    assert move(store, NEW, at(1))
    assert current(store) == NEW


@pytest.mark.parametrize(
    ("pointer", "moves"),
    [
        ({"run_id": OLD}, True),
        ({"run_id": FUTURE}, True),
        ({"run_id": FUTURE, "accepted_at": at(1e6).isoformat()}, True),
        ({"run_id": OLD, "accepted_at": "2026-11-24T04:00:00+00:00"}, False),
        ({"run_id": OLD, "accepted_at": "yesterday"}, True),
    ],
)
def test_pointers_of_older_versions_and_wrong_clocks(
    store: FolderStore, pointer: dict[str, str], moves: bool
) -> None:
    store.write(layout.current("r1", "DE"), canonical_json(pointer))
    assert move(store, NEW, datetime(2026, 11, 24, 3, tzinfo=UTC)) is moves


def test_the_same_run_moves_it_again(store: FolderStore) -> None:
    accepted = at(-2)
    assert move(store, NEW, accepted)
    assert move(store, NEW, accepted)
