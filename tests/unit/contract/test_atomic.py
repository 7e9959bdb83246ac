"""Create once and compare and swap, on the folder store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contract.exceptions import TransientError
from contract.stores import Blob, Store
from contract.stores.atomic import create, update
from contract.stores.folder import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return FolderStore(tmp_path)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The bounds of the waits that were drawn; none of them is waited for."""
    bounds: list[float] = []

    def draw(_: float, bound: float) -> float:
        bounds.append(bound)
        return 0.0

    monkeypatch.setattr("random.uniform", draw)
    return bounds


def increment(blob: Blob | None) -> bytes:
    return str(int(blob.data) + 1 if blob else 1).encode()


def test_one_of_many_creates(store: Store) -> None:
    with ThreadPoolExecutor(16) as pool:
        created = list(pool.map(lambda n: create(store, "a", str(n).encode()), range(64)))
    assert created.count(True) == 1
    assert store.read("a").data == str(created.index(True)).encode()


def test_concurrent_updates_are_not_lost(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: update(store, "n", increment), range(80)))
    assert store.read("n").data == b"80"


def test_it_returns_what_is_stored(store: Store) -> None:
    assert update(store, "n", lambda old: None) is None
    assert store.stat("n") is None
    first = update(store, "n", increment)
    assert first == store.read("n") == Blob(data=b"1", generation=store.read("n").generation)
    assert update(store, "n", lambda old: None) == first
    assert update(store, "n", lambda old: b"1") == store.read("n") != first


def test_an_error_of_the_change_leaves_the_object(store: Store) -> None:
    store.write("n", b"0")
    with pytest.raises(ZeroDivisionError):
        update(store, "n", lambda old: b"%d" % (1 // 0))
    assert store.read("n").data == b"0"


def test_an_update_without_contention_never_waits(store: Store, waits: list[float]) -> None:
    update(store, "n", increment)
    assert waits == []


def test_the_waits_grow_from_milliseconds_to_seconds(
    store: Store, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])

    def disturbed(blob: Blob | None) -> bytes:
        store.write("n", b"0")
        clock[0] += 1.0
        return increment(blob)

    with pytest.raises(TransientError, match=r"file:///.*/n` cannot be updated.* for 20 s"):
        update(store, "n", disturbed, patience=20)
    assert waits[:3] == [0.005, 0.01, 0.02]
    assert waits[-1] == 2.0
    assert len(waits) == 20


def test_an_object_that_vanishes_is_created(store: Store) -> None:
    store.write("n", b"5")
    seen: list[Blob | None] = []

    def change(blob: Blob | None) -> bytes:
        seen.append(blob)
        store.delete("n")
        return increment(blob)

    update(store, "n", change)
    assert [blob and blob.data for blob in seen] == [b"5", None]
    assert store.read("n").data == b"1"
