"""The line of a market: how long it may be, and whether its holder still holds it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from contract import layout
from contract.exceptions import LimitError
from contract.lease import Lease, bucket_time
from contract.market import DailyRuns, Market, count_run, keep_market, take_market
from contract.request import Origin, Request
from contract.run import RunError, State, Status, create_status, now
from contract.stores import atomic
from contract.stores.folder import FolderStore
from contract.terminal import end_request
from tests.fakes.strict_store import StrictStore
from tests.fakes.write_limit import WriteLimit


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def request(number: int) -> Request:
    return Request(
        run_id=f"20261123T0200{number:02d}Z-1a2b3c4d",
        market="DE",
        revision="r1",
        config={},
        origins={},
        config_hash="",
        origin=Origin(via="pubsub"),
        accepted_at=now() + timedelta(seconds=number),
        nonce=str(number),
    )


def run(store: FolderStore, number: int, state: State = State.ACCEPTED) -> Request:
    made = request(number)
    create_status(
        store,
        Status(
            run_id=made.run_id, state=state, market="DE", revision="r1",
            created_at=now(), updated_at=now(),
        ),
    )  # fmt: skip
    return made


def stop(store: FolderStore, run: Request) -> None:
    error = RunError(code=143, kind="CancelledError", message="x")
    end_request(store, run, State.CANCELLED, error)


def waiting(store: FolderStore) -> list[str]:
    market = Market.from_json(store.read(layout.market("DE")).data)
    return [one.run_id for one in market.waiting]


def test_a_line_has_an_end(store: FolderStore) -> None:
    holder, *others = (run(store, number) for number in range(4))
    assert take_market(store, holder) is None
    for one in others[:2]:
        assert take_market(store, one, max_waiting=2) == holder.run_id
    with pytest.raises(LimitError, match=r"2 runs already wait for market `DE`; allowed: 2 "):
        take_market(store, others[2], max_waiting=2)
    assert waiting(store) == [one.run_id for one in others[:2]]
    # Whoever stands in it keeps its place, even if it was let in by another limit.
    assert take_market(store, others[1], max_waiting=1) == holder.run_id


def test_the_ended_do_not_lengthen_a_line(store: FolderStore) -> None:
    holder, *others = (run(store, number) for number in range(4))
    assert take_market(store, holder) is None
    for one in others[:2]:
        take_market(store, one, max_waiting=2)
    stop(store, others[1])
    assert take_market(store, others[2], max_waiting=2) == holder.run_id
    assert waiting(store) == [others[0].run_id, others[2].run_id]


def test_a_holder_that_comes_back_in_time_is_not_replaced(store: FolderStore) -> None:
    """The next one has seen a dead holder, and is about to take its market."""
    holder, successor = run(store, 0, State.RUNNING), run(store, 1)
    store.write(layout.market("DE"), Market(holder=holder.run_id).to_json())
    kept: list[bool] = []

    def come_back() -> None:
        if not kept and store.stat(layout.market("DE")) is not None:
            lease = Lease(owner="o", execution="e", task=0, attempt=0, nonce="n")
            store.write(layout.lease(holder.run_id), lease.to_json())
            kept.append(keep_market(store, holder))

    class Between(FolderStore):
        def write(self, path: str, data: bytes, **more: object) -> int:
            if path == layout.market("DE"):
                come_back()
            return super().write(path, data, **more)  # type: ignore[arg-type]

    assert take_market(Between(store.root), successor) == holder.run_id
    assert kept == [True]
    assert keep_market(store, holder)


def test_a_holder_that_comes_back_late_is_told(store: FolderStore) -> None:
    holder, successor = run(store, 0, State.RUNNING), run(store, 1)
    store.write(layout.market("DE"), Market(holder=holder.run_id).to_json())
    assert take_market(store, successor) is None
    assert not keep_market(store, holder)
    assert keep_market(store, successor)


def test_a_day_that_a_wrong_clock_wrote_fills_no_cap(store: FolderStore) -> None:
    full = DailyRuns(day=date(2099, 1, 1), runs=["a", "b"])
    store.write(layout.market("DE"), Market(today=full).to_json())
    store.write(layout.today(), full.to_json())
    made = run(store, 1)
    assert take_market(store, made, cap=1) is None
    count_run(store, made.run_id, cap=1)
    today = bucket_time(store, layout.clock(made.run_id)).date()
    only = DailyRuns(day=today, runs=[made.run_id])
    assert Market.from_json(store.read(layout.market("DE")).data).today == only
    assert DailyRuns.from_json(store.read(layout.today()).data) == only
    with pytest.raises(LimitError, match="allowed: 1 a day"):
        count_run(store, "another", cap=1)


@pytest.mark.parametrize(("year", "free"), [(2099, True), (None, False)])
def test_a_holder_whose_lease_is_of_the_future_is_dead(
    store: FolderStore, year: int | None, free: bool
) -> None:
    holder, other = run(store, 1, State.RUNNING), run(store, 2)
    assert take_market(store, holder) is None
    store.write(layout.lease(holder.run_id), b"{}")
    if year is not None:
        seconds = datetime(year, 1, 1, tzinfo=UTC).timestamp()
        os.utime(store.root / layout.lease(holder.run_id), (seconds, seconds))
    assert (take_market(store, other) is None) is free


def test_many_runs_ask_for_one_market_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bucket takes one write of the market per pause; no run loses its attempt."""
    monkeypatch.setattr(atomic, "LONGEST_WAIT", 0.02)
    limit = WriteLimit(0.01)
    requests = [run(FolderStore(tmp_path), number) for number in range(30)]
    with ThreadPoolExecutor(30) as pool:
        ahead = list(pool.map(lambda one: take_market(StrictStore(tmp_path, limit), one), requests))
    assert ahead.count(None) == 1
    stored = Market.from_json(FolderStore(tmp_path).read(layout.market("DE")).data)
    assert {one.run_id for one in stored.waiting} | {stored.holder} == {
        one.run_id for one in requests
    }
    assert limit.refused.total() > 0
