"""Lists are read again behind the page."""

from __future__ import annotations

from threading import Event

import pytest

from app import fresh, reads
from app.fresh import Fresh
from contract.exceptions import TransientError
from contract.stores.folder import FolderStore
from mmm import runs
from tests.unit.app.conftest import Open


class Source:
    """Counts how often it is read; a reading waits for `may_end` and fails if `broken`."""

    def __init__(self) -> None:
        self.count, self.broken = 0, False
        self.may_end, self.ended = Event(), Event()
        self.may_end.set()

    def read(self, key: str) -> str:
        self.may_end.wait(30)
        try:
            if self.broken:
                raise TransientError("the bucket does not answer")
            self.count += 1
            return f"{key}{self.count}"
        finally:
            self.ended.set()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(fresh.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(fresh, "PATIENCE", 30.0)
    return now


def test_a_value_is_read_once_while_it_is_fresh(clock: list[float]) -> None:
    source = Source()
    values = Fresh(source.read)
    assert [values.get("a"), values.get("a"), values.get("b")] == ["a1", "a1", "b2"]
    clock[0] += fresh.FRESH
    assert values.get("a") == "a3"
    values.clear()
    assert values.get("a") == "a4"


def test_a_slow_reading_holds_no_page(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source()
    values = Fresh(source.read)
    values.get("a")
    source.may_end.clear()
    source.ended.clear()
    monkeypatch.setattr(fresh, "PATIENCE", 0.0)
    clock[0] += fresh.FRESH
    assert [values.get("a"), values.get("a")] == ["a1", "a1"]
    source.may_end.set()
    assert source.ended.wait(30)
    monkeypatch.setattr(fresh, "PATIENCE", 30.0)
    assert values.get("a") == "a2"
    assert source.count == 2


def test_an_old_value_is_not_shown(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source()
    values = Fresh(source.read)
    values.get("a")
    monkeypatch.setattr(fresh, "PATIENCE", 0.0)
    clock[0] += fresh.LATE
    assert values.get("a") == "a2"
    clock[0] += fresh.FRESH
    values.get("a")  # begins to read a value that no page shows for an hour
    coming = values._entries["a"].coming
    if coming is not None:
        coming.result(30)
    clock[0] += 3600
    assert values.get("a") == "a4"


def test_a_failure_is_shown_only_where_a_page_waits(clock: list[float]) -> None:
    source = Source()
    values = Fresh(source.read)
    values.get("a")
    source.broken = True
    clock[0] += fresh.FRESH
    assert [values.get("a"), values.get("a")] == ["a1", "a1"]
    clock[0] += fresh.LATE
    with pytest.raises(TransientError):
        values.get("a")
    source.broken = False
    assert values.get("a") == "a2"


def test_what_a_reading_before_an_action_found_is_dropped(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source()
    values = Fresh(source.read)
    values.get("a")
    source.may_end.clear()
    monkeypatch.setattr(fresh, "PATIENCE", 0.0)
    clock[0] += fresh.FRESH
    values.get("a")
    values.clear()
    source.may_end.set()
    assert values.get("a") in ("a2", "a3")
    first = source.count
    assert values.get("a") == f"a{first}"


def test_the_page_compare_reads_only_runs_of_its_market(
    console: Open, markets: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    read = FolderStore.read

    def noted(store: FolderStore, path: str, **options: int) -> object:
        seen.append(path)
        return read(store, path, **options)

    known = reads.finished("DE", "r1")
    reads.forget()
    monkeypatch.setattr(FolderStore, "read", noted)
    assert reads.finished("DE", "r1") == known
    assert [run.run_id for run in known] == sorted((run.run_id for run in known), reverse=True)
    assert len(known) == 2
    assert not [path for path in seen if path.endswith("status.json")], "ended runs are read once"


def test_a_run_that_has_not_ended_is_read_again(markets: FolderStore) -> None:
    known = runs.Statuses()
    assert known.read(markets, "20261123T050000Z-00000003") is not known.read(
        markets, "20261123T050000Z-00000003"
    )
    assert known.read(markets, "20261123T060000Z-00000004") is known.read(
        markets, "20261123T060000Z-00000004"
    )
    assert known.read(markets, "20200101T000000Z-00000000") is None


def test_a_reading_that_an_action_overtook_is_not_kept(clock: list[float]) -> None:
    found = ["before", "after"]

    def read(_: str) -> str:
        value = found.pop(0)
        if value == "before":
            values.clear()  # the action of somebody, while the list is read
        return value

    values: Fresh[str, str] = Fresh(read)
    assert [values.get("a"), values.get("a")] == ["before", "after"]
