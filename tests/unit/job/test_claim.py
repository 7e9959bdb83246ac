"""Who may work on a run: by the bucket's clock, whatever the machines' clocks say."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from contract import layout
from contract.exceptions import PreconditionError
from contract.lease import Lease, bucket_time, live_lease
from contract.stores.folder import FolderStore
from job import claim as claims
from job.claim import LeaseHolder, claim
from job.settings import Settings, from_environment

RUN = "20261123T020000Z-1a2b3c4d"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def settings(execution: str, attempt: int = 0) -> Settings:
    return from_environment(
        {
            "MMM_BUCKET": "b", "MMM_EVENTS_TOPIC": "t", "CLOUD_RUN_EXECUTION": execution,
            "CLOUD_RUN_TASK_ATTEMPT": str(attempt),
        }
    )  # fmt: skip


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
