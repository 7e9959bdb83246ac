"""The real Cloud Storage client between faults: what is lost, changed or refused on the way."""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contract.exceptions import PreconditionError, ServiceError, StoreError, TransientError
from contract.stores import Blob, Store, open_store
from contract.stores.atomic import create, update
from tests.fakes.gcs import FakeGCS
from tests.fakes.proxy import Call, Fault, Kind, Proxy, once

UPLOAD = "/upload/storage"
Broken = Callable[[Callable[[Call], Fault | None]], Store]


@pytest.fixture
def broken(
    gcs_server: FakeGCS,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Broken]:
    """A store behind a proxy that does what it is told."""

    def make(decide: Callable[[Call], Fault | None]) -> Store:
        running = Proxy(gcs_server.url, decide).running()
        proxy = running.__enter__()
        request.addfinalizer(lambda: running.__exit__(None, None, None))
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
        return open_store(bucket)

    yield make
    # The client throws the connections that were cut away without closing them.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def uploads(calls: list[Call]) -> list[Call]:
    """The requests that wrote an object; the client also asks about the bucket, as it likes."""
    return [call for call in calls if UPLOAD in call.path]


@pytest.mark.parametrize("path", ["a.json", "runs/\u00e4 b/%2F?c=d&e#f+g.json"])
def test_any_name_and_any_bytes_arrive(gcs_store: Store, path: str) -> None:
    data = b'{"text": "\xc3\xa4\r\n--\x00"}' * 100
    generation = gcs_store.write(path, data, if_generation=0)
    assert gcs_store.read(path) == Blob(data=data, generation=generation)
    assert [info.path for info in gcs_store.list("")] == [path]


def test_folders_begin_where_they_are_asked_to(gcs_store: Store) -> None:
    for path in ("runs/a/x.json", "runs/b/x.json", "runs/b/y.json", "runs/c.json", "b/x.json"):
        gcs_store.write(path, b"{}")
    assert list(gcs_store.folders("runs/")) == ["a", "b"]
    assert list(gcs_store.folders("runs/", start="b")) == ["b"]
    assert list(gcs_store.folders("missing/")) == []


def test_only_the_given_generation_is_removed(gcs_store: Store) -> None:
    first = gcs_store.write("a.json", b"1")
    second = gcs_store.write("a.json", b"2")
    with pytest.raises(PreconditionError):
        gcs_store.delete("a.json", if_generation=first)
    assert gcs_store.read("a.json").data == b"2"
    gcs_store.delete("a.json", if_generation=second)
    gcs_store.delete("a.json", if_generation=second)
    assert gcs_store.stat("a.json") is None


def test_one_of_many_creates(gcs_store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(lambda n: create(gcs_store, "a", str(n).encode()), range(8)))
    assert created.count(True) == 1
    assert gcs_store.read("a").data == str(created.index(True)).encode()


def test_an_update_keeps_what_another_writer_wrote_meanwhile(gcs_store: Store) -> None:
    seen: list[bytes | None] = []

    def change(old: Blob | None) -> bytes:
        seen.append(old.data if old else None)
        if len(seen) == 1:
            gcs_store.write("n", b"1")
        return b"2" if old is None else old.data + b"2"

    stored = update(gcs_store, "n", change)
    assert seen == [None, b"1"]
    assert stored == gcs_store.read("n")
    assert gcs_store.read("n").data == b"12"


@pytest.mark.parametrize("kind", [Kind.CUT_AFTER, Kind.CUT_BEFORE])
def test_a_create_whose_first_answer_is_lost_is_its_own(broken: Broken, kind: Kind) -> None:
    store = broken(once(Fault(kind=kind), method="POST", containing=UPLOAD))
    assert create(store, "a.json", b"mine") is True
    assert create(store, "a.json", b"mine") is False
    assert create(store, "a.json", b"other") is False


def test_a_create_whose_first_answer_is_lost_is_not_its_own_if_another_was_first(
    broken: Broken, gcs_store: Store
) -> None:
    def cut(call: Call) -> Fault | None:
        if call.method != "POST" or UPLOAD not in call.path or gcs_store.stat("a.json"):
            return None
        gcs_store.write("a.json", b"theirs")
        return Fault(kind=Kind.CUT_AFTER)

    assert create(broken(cut), "a.json", b"mine ") is False
    assert gcs_store.read("a.json").data == b"theirs"


def test_an_update_whose_first_answer_is_lost_is_made_once(broken: Broken) -> None:
    store = broken(once(Fault(kind=Kind.CUT_AFTER), method="POST", containing=UPLOAD))
    seen: list[Blob | None] = []

    def change(old: Blob | None) -> bytes:
        seen.append(old)
        return b"1"

    assert update(store, "n", change) == store.read("n")
    assert seen == [None]


@pytest.mark.parametrize("status", [429, 503])
def test_a_write_is_repeated_after_a_transient_answer(
    broken: Broken, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    store = broken(once(Fault(kind=Kind.STATUS, status=status), method="POST", containing=UPLOAD))
    with caplog.at_level(logging.WARNING):
        generation = store.write("a.json", b"{}", if_generation=0)
    assert store.read("a.json").generation == generation
    assert "trying again after" in caplog.text


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (403, ServiceError, "refuses"),
        (400, ServiceError, "refuses"),
        (404, StoreError, "no such bucket"),
        (412, PreconditionError, "another writer"),
    ],
)
def test_a_refused_write_is_not_repeated(
    broken: Broken, status: int, error: type[Exception], says: str
) -> None:
    calls: list[Call] = []

    def refuse(call: Call) -> Fault:
        calls.append(call)
        return Fault(kind=Kind.STATUS, status=status)

    with pytest.raises(error, match=says):
        broken(refuse).write("a.json", b"{}", if_generation=0)
    assert len(uploads(calls)) == 1


def test_the_server_gets_the_checksum_and_connections_are_kept(broken: Broken) -> None:
    calls: list[Call] = []
    store = broken(calls.append)  # type: ignore[arg-type]
    for number in range(5):
        store.write(f"{number}.json", b"{}")
    assert all(b'"crc32c": "' in call.body for call in uploads(calls))
    # A slow server may have closed one meanwhile; without keeping, there would be five.
    assert len({call.ends[0] for call in uploads(calls)}) <= 2


def test_a_write_whose_answer_is_lost_is_its_own(broken: Broken) -> None:
    store = broken(once(Fault(kind=Kind.CUT_AFTER), method="POST", containing=UPLOAD))
    generation = store.write("a.json", b"{}", if_generation=0)
    assert store.read("a.json").generation == generation
    with pytest.raises(PreconditionError):
        store.write("a.json", b"[]", if_generation=0)


def test_an_upload_whose_answer_is_lost_is_its_own(broken: Broken, tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(b"model" * 1000)
    store = broken(once(Fault(kind=Kind.CUT_AFTER), method="POST", containing=UPLOAD))
    info = store.upload(file, "model.bin", if_generation=0)
    assert info == store.stat("model.bin")
    file.write_bytes(b"other" * 1000)
    with pytest.raises(PreconditionError):
        store.upload(file, "model.bin", if_generation=0)


def test_bytes_that_arrive_changed_are_refused_and_written_again(
    broken: Broken, caplog: pytest.LogCaptureFixture
) -> None:
    store = broken(once(Fault(kind=Kind.CORRUPT), method="POST", containing=UPLOAD))
    with caplog.at_level(logging.WARNING):
        generation = store.write("a.json", b'{"n": 1}' * 50, if_generation=0)
    assert store.read("a.json").data == b'{"n": 1}' * 50
    assert store.read("a.json").generation == generation
    assert "was changed on the way" in caplog.text


def test_a_file_that_arrives_changed_is_uploaded_again(
    broken: Broken, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(b"model" * 1000)
    store = broken(once(Fault(kind=Kind.CORRUPT), method="POST", containing=UPLOAD))
    with caplog.at_level(logging.WARNING):
        info = store.upload(file, "model.bin", if_generation=0)
    assert info == store.stat("model.bin")
    assert store.read("model.bin").data == file.read_bytes()
    assert "it is written again" in caplog.text


def test_bytes_that_always_arrive_changed_are_told(broken: Broken) -> None:
    store = broken(lambda call: Fault(kind=Kind.CORRUPT) if call.method == "POST" else None)
    with pytest.raises(TransientError, match="arrives with other bytes than are sent"):
        store.write("a.json", b'{"n": 1}', if_generation=0)


def test_bytes_that_come_back_changed_are_refused(broken: Broken, tmp_path: Path) -> None:
    store = broken(
        lambda call: (
            Fault(kind=Kind.CORRUPT) if call.method == "GET" and "alt=media" in call.path else None
        )
    )
    store.write("a.json", b'{"n": 1}')
    with pytest.raises(TransientError, match="changed on the way"):
        store.read("a.json")
    with pytest.raises(TransientError, match="changed on the way"):
        store.download("a.json", tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_come_back_changed_once_are_read_again(
    broken: Broken, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    decide = once(Fault(kind=Kind.CORRUPT), method="GET", containing="alt=media")
    store = broken(decide)
    store.write("a.json", b'{"n": 1}')
    with caplog.at_level(logging.WARNING):
        assert store.read("a.json").data == b'{"n": 1}'
    assert "it is read again" in caplog.text
    store = broken(once(Fault(kind=Kind.CORRUPT), method="GET", containing="alt=media"))
    store.download("a.json", tmp_path / "a.json")
    assert (tmp_path / "a.json").read_bytes() == b'{"n": 1}'


def test_retries_are_bounded_logged_and_of_transient_errors_only(
    broken: Broken, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def refuse(call: Call) -> Fault:
        made.append(call.path)  # the client also asks about the bucket, as it likes
        return Fault(kind=Kind.STATUS, status=403)

    with pytest.raises(ServiceError, match="refuses"):
        broken(refuse).read("a.json")
    assert len([path for path in made if "a.json" in path]) == 1

    from contract.stores import gcs

    monkeypatch.setattr(gcs, "RETRY", gcs.RETRY.with_timeout(1.5))
    with caplog.at_level(logging.WARNING), pytest.raises(TransientError, match="did not answer"):
        broken(lambda call: Fault(kind=Kind.STATUS, status=503)).read("a.json")
    assert "trying again after" in caplog.text
