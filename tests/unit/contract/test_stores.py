"""The folder store keeps the bucket's promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contract.exceptions import ArtifactError, ConfigError, NotFoundError, PreconditionError
from contract.stores import open_store, split_uri
from contract.stores.folder import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def test_write_once_has_exactly_one_winner(store: FolderStore) -> None:
    def attempt(number: int) -> bool:
        try:
            store.write("runs/x/request.json", str(number).encode(), if_generation=0)
        except PreconditionError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(attempt, range(64))) == 1


def test_generations_guard_every_change(store: FolderStore) -> None:
    first = store.write("a.json", b"1", if_generation=0)
    second = store.write("a.json", b"2", if_generation=first)
    assert second > first
    with pytest.raises(PreconditionError):
        store.write("a.json", b"3", if_generation=first)
    assert store.read("a.json").data == b"2"
    assert store.read("a.json").generation == second


def test_concurrent_increments_are_not_lost(store: FolderStore) -> None:
    store.write("n", b"0")

    def increment(_: int) -> None:
        while True:
            blob = store.read("n")
            try:
                store.write("n", str(int(blob.data) + 1).encode(), if_generation=blob.generation)
            except PreconditionError:
                continue
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(increment, range(40)))
    assert store.read("n").data == b"40"


def test_upload_list_download_delete(store: FolderStore, tmp_path: Path) -> None:
    local = tmp_path.parent / "local.bin"
    local.write_bytes(b"x" * 3_000_000)
    info = store.upload(local, "robyn/r1/DE/model.bin")
    assert (info.size, info.path) == (3_000_000, "robyn/r1/DE/model.bin")
    assert [o.path for o in store.list("robyn/")] == ["robyn/r1/DE/model.bin"]
    assert [o.path for o in store.list("robyn/r2")] == []
    store.download("robyn/r1/DE/model.bin", tmp_path.parent / "back.bin")
    assert (tmp_path.parent / "back.bin").read_bytes() == local.read_bytes()
    store.delete("robyn/r1/DE/model.bin")
    store.delete("robyn/r1/DE/model.bin")
    assert store.stat("robyn/r1/DE/model.bin") is None
    with pytest.raises(NotFoundError):
        store.read("robyn/r1/DE/model.bin")


def test_listings_are_by_prefix(store: FolderStore) -> None:
    paths = ["a.json", "runs/a/x.json", "runs/b/x.json", "runs/b/y.json", "runs/c.json"]
    for path in paths:
        store.write(path, b"{}")
    assert [info.path for info in store.list("")] == paths
    assert [info.path for info in store.list("a")] == ["a.json"]
    assert [info.path for info in store.list("runs/b")] == paths[2:4]
    assert list(store.folders("runs/")) == ["a", "b"]
    assert list(store.folders("runs/", start="b")) == ["b"]
    assert list(store.folders("missing/")) == []


def test_only_the_given_generation_is_removed(store: FolderStore) -> None:
    first = store.write("a.json", b"1")
    second = store.write("a.json", b"2")
    with pytest.raises(PreconditionError):
        store.delete("a.json", if_generation=first)
    store.delete("a.json", if_generation=second)
    store.delete("a.json", if_generation=second)
    assert store.stat("a.json") is None


def test_a_path_cannot_leave_the_folder(store: FolderStore) -> None:
    with pytest.raises(ArtifactError, match="is outside the folder"):
        store.write("../outside", b"x")


def test_a_bucket_address_has_no_folder() -> None:
    with pytest.raises(ConfigError, match="without a folder"):
        open_store("gs://bucket/folder")
    assert split_uri("gs://b/configs/de.yaml") == ("b", "configs/de.yaml")
