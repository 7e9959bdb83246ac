"""The real Cloud Storage client between faults: what is lost, changed or refused on the way."""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.exceptions import PreconditionError, ServiceError, TransientError
from contract.stores import Store, open_store
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


def test_bytes_that_arrive_changed_are_written_again(
    broken: Broken, caplog: pytest.LogCaptureFixture
) -> None:
    store = broken(once(Fault(kind=Kind.CORRUPT), method="POST", containing=UPLOAD))
    with caplog.at_level(logging.WARNING):
        generation = store.write("a.json", b'{"n": 1}' * 50, if_generation=0)
    assert store.read("a.json").data == b'{"n": 1}' * 50
    assert store.read("a.json").generation == generation
    assert "arrived with other bytes than were sent" in caplog.text


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
