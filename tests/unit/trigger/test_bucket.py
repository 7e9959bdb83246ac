"""The function's lean writes against Cloud Storage's stand-in, and what is refused or lost."""

from __future__ import annotations

import gc
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import urllib3
from google.cloud import storage

from contract.exceptions import PreconditionError, ServiceError, StoreError, TransientError
from contract.stores import Store
from contract.stores.folder import FolderStore
from tests.fakes.gcs import FakeGCS
from tests.fakes.proxy import Fault, Kind, Proxy, once
from trigger import bucket as module
from trigger import lean
from trigger.bucket import LeanStore, open_bucket

UPLOAD = "/upload/storage"
ODD = "runs/ä b/%2F?c=d&e#f+g.json"


@pytest.fixture
def store(bucket: str) -> Store:
    return open_bucket(bucket)


@pytest.fixture
def broken(
    gcs_server: FakeGCS, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Any], tuple[Store, Proxy]]]:
    """A store behind a proxy that does what it is told, and the proxy."""
    proxy = Proxy(gcs_server.url)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)

    def make(decide: Any) -> tuple[Store, Proxy]:
        proxy.decide = decide
        return open_bucket(bucket), proxy

    with proxy.running():
        yield make
    with warnings.catch_warnings():  # connections that were cut are thrown away unclosed
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_what_it_writes_is_what_the_client_writes(store: Store, gcs_store: Store) -> None:
    assert isinstance(store, LeanStore)
    data = json.dumps({"text": "ä\r\n--\x00"}).encode() * 100
    for path in ("a.json", ODD):
        generation = store.write(path, data, if_generation=0)
        blob = gcs_store.read(path)
        assert (blob.data, blob.generation) == (data, generation)
        info = gcs_store.stat(path)
        assert info is not None
        assert info.path == path
    store.write("b.txt", b"", content_type="text/plain")
    found = storage.Client(project="p").bucket(store.url.removeprefix("gs://")).get_blob("b.txt")
    assert found is not None
    assert (found.content_type, found.size) == ("text/plain", 0)


def test_preconditions_hold(store: Store) -> None:
    first = store.write("a.json", b"1", if_generation=0)
    with pytest.raises(PreconditionError):
        store.write("a.json", b"2", if_generation=0)
    second = store.write("a.json", b"2", if_generation=first)
    with pytest.raises(PreconditionError):
        store.write("a.json", b"3", if_generation=first)
    store.write("a.json", b"4")
    assert second != first
    assert store.read("a.json").data == b"4"


def test_one_of_many_wins(store: Store) -> None:
    def write(number: int) -> int | None:
        try:
            store.write("a.json", str(number).encode(), if_generation=0)
        except PreconditionError:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        winners = [number for number in pool.map(write, range(8)) if number is not None]
    assert len(winners) == 1
    assert store.read("a.json").data == str(winners[0]).encode()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=Kind.STATUS, status=429),
        Fault(kind=Kind.STATUS, status=503),
        Fault(kind=Kind.CUT_BEFORE),
        Fault(kind=Kind.CUT_AFTER),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_a_write_is_tried_again(
    broken: Any, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    store, _ = broken(once(fault, method="POST", containing=UPLOAD))
    with caplog.at_level(logging.WARNING):
        generation = store.write("a.json", b"{}", if_generation=0)
    assert store.read("a.json").generation == generation
    assert "trying again after" in caplog.text
    with pytest.raises(PreconditionError):
        store.write("a.json", b"[]", if_generation=0)


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (403, ServiceError, "refuses"),
        (400, ServiceError, "refuses"),
        (404, StoreError, "no such bucket"),
        (412, PreconditionError, "somebody else"),
    ],
)
def test_what_is_refused_is_not_tried_again(
    broken: Any, status: int, error: type[Exception], says: str
) -> None:
    store, proxy = broken(lambda call: Fault(kind=Kind.STATUS, status=status))
    with pytest.raises(error, match=says):
        store.write("a.json", b"{}", if_generation=0)
    assert len([call for call in proxy.calls if UPLOAD in call.path]) == 1


def test_retries_end(broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY", module.RETRY.with_timeout(0.5))
    store, _ = broken(lambda call: Fault(kind=Kind.STATUS, status=503))
    with pytest.raises(TransientError, match="did not answer"):
        store.write("a.json", b"{}")


def test_bytes_that_arrive_changed_are_written_again(
    broken: Any, caplog: pytest.LogCaptureFixture
) -> None:
    store, _ = broken(once(Fault(kind=Kind.CORRUPT), method="POST", containing=UPLOAD))
    with caplog.at_level(logging.WARNING):
        generation = store.write("a.json", b'{"n": 1}' * 50, if_generation=0)
    blob = store.read("a.json")
    assert (blob.data, blob.generation) == (b'{"n": 1}' * 50, generation)
    assert "arrived with other bytes than were sent" in caplog.text


def test_the_server_is_told_the_checksum(broken: Any) -> None:
    store, proxy = broken(lambda call: None)
    store.write("a.json", b"{}")
    [upload] = [call for call in proxy.calls if UPLOAD in call.path]
    assert b'"crc32c": "' in upload.body


def test_connections_are_kept(broken: Any) -> None:
    store, proxy = broken(lambda call: None)
    for number in range(5):
        store.write(f"{number}.json", b"{}")
    assert len({call.ends[0] for call in proxy.calls}) == 1


def test_the_environments_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:3128")
    monkeypatch.setattr("trigger.lean.proxy_bypass", lambda host: False)
    pool = lean._pool("http://storage.example")
    assert isinstance(pool, urllib3.ProxyManager)
    monkeypatch.setattr("trigger.lean.proxy_bypass", lambda host: True)
    assert not isinstance(lean._pool("http://storage.example"), urllib3.ProxyManager)


def test_folders_stay_folders(tmp_path: Path) -> None:
    assert isinstance(open_bucket(str(tmp_path)), FolderStore)
