"""`robyn/index.html` has every market and its newest runs, also when runs end together."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contract import layout
from contract.base import canonical_json
from contract.pages import update
from contract.pages.update import MAX_RUNS, show_end, update_index
from contract.run import State, Status, change_status
from contract.stores.base import Blob
from contract.stores.folder import FolderStore
from tests.unit.report.page import Page

TWO_DAYS = 2 * 24 * 60  # minutes
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)


class CountingStore(FolderStore):
    reads: list[str]

    def read(self, path: str, *, limit: int | None = None) -> Blob:
        self.reads.append(path)
        return super().read(path, limit=limit)


@pytest.fixture
def store(tmp_path: Path) -> CountingStore:
    store = CountingStore(tmp_path / "bucket")
    store.reads = []
    return store


def put(
    store: FolderStore, number: int, market: str = "DE", state: State = State.SUCCEEDED,
    *, roas: float = 2.0, **changes: Any,
) -> str:  # fmt: skip
    at = START + timedelta(minutes=number)
    run_id = f"{at:%Y%m%dT%H%M%SZ}-{number:08x}"
    metrics = {"rsq_train": 0.91, "target_kind": "revenue",
               "posterior": {"total": {"roas": {"median": roas}}}}  # fmt: skip
    outcome = {
        "verdict": {"verdict": "REVIEW", "findings": []}, "best_model": metrics,
        "report_uri": "file:///report.html",
    }  # fmt: skip
    status = Status(
        run_id=run_id, state=state, market=market, revision="r1", created_at=at, updated_at=at,
        outcome=outcome if state in (State.SUCCEEDED, State.HELD) else {}, **changes,
    )  # fmt: skip
    store.write(layout.status(run_id), status.to_json())
    return run_id


def page(store: FolderStore) -> Page:
    return Page(store.read(layout.index()).data.decode())


def test_markets_runs_state_verdict_fit_sparkline_and_links(store: CountingStore) -> None:
    first = put(store, 1, roas=2.0)
    second = put(store, 2, state=State.HELD, roas=3.0)
    failed = put(store, 3, "FR", State.FAILED)
    store.write(layout.current("r1", "DE"), canonical_json({"run_id": first}))
    update_index(store)
    found = page(store)
    for text in (first, second, failed, "HELD", "FAILED", "REVIEW", "0.91", "(current)"):
        assert text in found.text, text
    links = found.values("href")
    for run_id in (first, second):
        assert f"r1/DE/{run_id}/report.html" in links
        assert f"r1/DE/{run_id}/summary.html" in links
    assert not [link for link in links if failed in link]
    assert "ROAS of paid media in 2 runs, from 2 to 3" in found.values("aria-label")
    assert found.values("points") == ["2.0,24.0 118.0,2.0"]
    assert "http" not in found.html.replace("http-equiv", "")


def test_an_update_reads_only_what_is_not_known_to_have_ended(store: CountingStore) -> None:
    runs = [put(store, number) for number in range(30)]
    running = put(store, 40, state=State.RUNNING)
    put(store, TWO_DAYS + 50)
    update_index(store)
    store.reads.clear()
    newest = put(store, TWO_DAYS + 51)
    update_index(store)
    assert set(store.reads) == {
        layout.index(), layout.current("r1", "DE"), layout.status(running), layout.status(newest)
    }  # fmt: skip
    change_status(store, running, lambda old: {"state": State.CANCELLED})
    update_index(store)
    assert "CANCELLED" in page(store).text
    assert runs[0] not in page(store).text


def test_runs_that_end_in_the_same_second_are_all_shown(store: CountingStore) -> None:
    def end(number: int) -> str:
        run_id = put(store, number, f"M{number}")
        update_index(store)
        return run_id

    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(end, range(8)))
    found = page(store)
    assert [run_id for run_id in runs if run_id not in found.text] == []
    assert json.loads(found.scripts[0])[0]["run_id"] == max(runs)


def test_a_writer_that_comes_between_loses_nothing(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other writer's run is newer than the statuses that this one has read."""
    put(store, 1)
    currents, others = update._currents, [put]

    def between(*arguments: Any) -> Any:
        if others:
            others.pop()(store, 2, "FR")
            update_index(store)
        return currents(*arguments)

    monkeypatch.setattr(update, "_currents", between)
    update_index(store)
    assert {"DE", "FR"} <= {entry["market"] for entry in json.loads(page(store).scripts[0])}


def test_a_decision_that_comes_between_is_shown(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another decision in the same second moves the pointer after this update has read it."""
    first, second = put(store, 1), put(store, 2)
    pointer = layout.current("r1", "DE")
    store.write(pointer, canonical_json({"run_id": first}))
    currents, others = update._currents, [second]

    def between(*arguments: Any) -> Any:
        found = currents(*arguments)
        if others:
            store.write(pointer, canonical_json({"run_id": others.pop()}))
            update_index(store)
        return found

    monkeypatch.setattr(update, "_currents", between)
    update_index(store)
    assert f"{second} (current)" in page(store).text
    assert f"{first} (current)" not in page(store).text


@pytest.mark.parametrize(
    "damage", [b"", b"<html>", b'<script type="application/json" id="runs">[{']
)
def test_a_page_that_is_lost_or_damaged_is_made_again(store: CountingStore, damage: bytes) -> None:
    runs = [put(store, 1), put(store, 2, "FR", State.FAILED)]
    store.write(layout.status(f"{START:%Y%m%dT%H%M%SZ}-00000009"), b"torn")
    store.write(layout.index(), damage)
    update_index(store)
    assert all(run_id in page(store).text for run_id in runs)


def test_the_current_run_stays_however_old_it_is(store: CountingStore) -> None:
    at = START - timedelta(days=60)
    old = put(store, -60 * 24 * 60)
    assert old.startswith(f"{at:%Y%m%d}")
    store.write(layout.current("r1", "DE"), canonical_json({"run_id": old}))
    for number in range(MAX_RUNS + 5):
        put(store, number)
    update_index(store)
    assert f"{old} (current)" in page(store).text
    update_index(store)
    assert f"{old} (current)" in page(store).text


def test_text_of_a_status_cannot_end_the_data_of_the_page(store: CountingStore) -> None:
    put(store, 1, "</script><script>alert(1)</script>")
    update_index(store)
    found = page(store)
    assert len(found.scripts) == 1
    update_index(store)
    assert len(json.loads(page(store).scripts[0])) == 1


class LimitedStore(CountingStore):
    """A store that asks for a second between two writes of an object, as a bucket does."""

    @property
    def write_pause(self) -> float:
        return 1.0


def test_of_many_runs_that_end_at_once_one_updates_the_page(tmp_path: Path) -> None:
    store = LimitedStore(tmp_path / "bucket")
    store.reads = []
    runs = [put(store, number, f"M{number}") for number in range(12)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: show_end(store), runs))
    assert all(run_id in page(store).text for run_id in runs)
    read = [path for path in store.reads if path.endswith("/status.json")]
    assert len(read) <= 2 * len(runs)  # not each run's by each run
    before = store.read(layout.index()).data
    put(store, 13)
    show_end(store)  # a minute has not passed; the next pass of reconcile shows it
    assert store.read(layout.index()).data == before


def test_in_a_folder_every_end_is_shown_at_once(store: CountingStore) -> None:
    for number in range(2):
        run_id = put(store, number)
        show_end(store)
        assert run_id in page(store).text
