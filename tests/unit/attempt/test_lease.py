"""Who may work on a run: by the bucket's clock, whatever the machines' clocks say."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
import structlog

from contract import layout
from contract.exceptions import CancelledError, PreconditionError, TransientError
from contract.lease import Lease, bucket_time, live_lease
from contract.stores.folder import FolderStore
from job.attempt import lease as claims
from job.attempt.lease import LeaseHolder, claim
from job.runtime.settings import Settings
from tests.runs import wait_until

RUN = "20261123T020000Z-1a2b3c4d"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def settings(execution: str, attempt: int = 0) -> Settings:
    return Settings.read(bucket="b", topic="t", execution=execution, attempt=attempt)


def test_the_first_claims_the_second_leaves_a_retry_takes_over(store: FolderStore) -> None:
    first = claim(store, RUN, settings("a"))
    assert isinstance(first, LeaseHolder)
    other = claim(store, RUN, settings("b"))
    assert isinstance(other, Lease)
    assert other.execution == "a"
    assert isinstance(claim(store, RUN, settings("a", attempt=1)), LeaseHolder)


def test_an_expired_lease_is_taken_over_and_its_owner_finds_out(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "LEASE_SECONDS", 0.3)
    asleep = claim(store, RUN, settings("a"))
    assert isinstance(asleep, LeaseHolder)
    time.sleep(0.4)
    assert isinstance(claim(store, RUN, settings("b")), LeaseHolder)
    with pytest.raises(PreconditionError):
        asleep.release()
    assert live_lease(store, RUN, at=bucket_time(store, layout.clock(RUN))) is not None


def test_a_released_lease_is_free(store: FolderStore) -> None:
    first = claim(store, RUN, settings("a"))
    assert isinstance(first, LeaseHolder)
    first.release()
    assert isinstance(claim(store, RUN, settings("b")), LeaseHolder)


class Away(FolderStore):
    """A bucket that cannot be reached while it is `away`."""

    away = False

    def write(self, path: str, data: bytes, **more: Any) -> int:
        if self.away:
            raise TransientError("away")
        return super().write(path, data, **more)


def test_an_owner_that_cannot_renew_its_lease_leaves(tmp_path: Path) -> None:
    store = Away(tmp_path)
    owner = claim(store, RUN, settings("a"))
    assert isinstance(owner, LeaseHolder)
    store.away = True
    owner.keep(lambda: None, log=structlog.get_logger(), every=0.05, patience=0.3)
    assert not owner.cut_off.wait(0.2)
    assert owner.cut_off.wait(30)
    store.away = False
    with pytest.raises(TransientError, match="lost contact"):
        owner.confirm()
    owner.release()
    assert isinstance(claim(store, RUN, settings("b")), LeaseHolder)


@pytest.mark.parametrize("may_go_on", [True, False])
def test_an_owner_whose_lease_had_expired_asks_for_its_market(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, may_go_on: bool
) -> None:
    monkeypatch.setattr(claims, "LEASE_SECONDS", 0.3)
    store, asked, beats = Away(tmp_path), threading.Event(), threading.Event()
    owner = claim(store, RUN, settings("a"))
    assert isinstance(owner, LeaseHolder)
    store.away = True

    def returned() -> bool:
        asked.set()
        return may_go_on

    owner.keep(beats.set, log=structlog.get_logger(), returned=returned, every=0.1)
    time.sleep(0.6)
    assert not asked.is_set()
    store.away = False
    assert asked.wait(30)
    assert (beats if may_go_on else owner.cut_off).wait(30)
    assert owner.cut_off.is_set() is not may_go_on
    owner.release()


class Deaf(FolderStore):
    """A bucket that takes writes, whose answers are lost while it is `deaf`."""

    deaf = False

    def write(self, path: str, data: bytes, **more: Any) -> int:
        generation = super().write(path, data, **more)
        if self.deaf:
            raise TransientError("no answer")
        return generation


def test_an_owner_recognises_a_lease_whose_answer_was_lost(tmp_path: Path) -> None:
    store = Deaf(tmp_path)
    owner = claim(store, RUN, settings("a"))
    assert isinstance(owner, LeaseHolder)
    store.deaf = True
    with pytest.raises(TransientError):
        owner.confirm(manifest="m.json")
    store.deaf = False
    owner.confirm()
    assert not owner.lost.is_set()
    assert Lease.from_json(store.read(layout.lease(RUN)).data).manifest == "m.json"
    assert isinstance(claim(store, RUN, settings("a", attempt=1)), LeaseHolder)
    with pytest.raises(CancelledError):
        owner.confirm()


def test_any_error_in_the_heartbeat_ends_the_attempt(store: FolderStore) -> None:
    owner = claim(store, RUN, settings("a"))
    assert isinstance(owner, LeaseHolder)

    def beat() -> None:
        raise ValueError("a fault of our own")

    with structlog.testing.capture_logs() as logs:
        owner.keep(beat, log=structlog.get_logger(), every=0.01)
        wait_until(lambda: owner.broken)
    assert owner.broken == "the heartbeat failed: ValueError: a fault of our own"
    assert [line["log_level"] for line in logs] == ["error"]
    with pytest.raises(TransientError, match="a fault of our own"):
        owner.confirm()
    assert owner.is_own()
