"""How long refused calls are tried again."""

from __future__ import annotations

import pytest
import structlog

from contract.exceptions import DeniedError, ServiceError
from contract.retries import GRANT
from job.attempt.patience import Patience


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    at = [0.0]

    def sleep(seconds: float) -> None:
        at[0] += seconds

    monkeypatch.setattr("time.monotonic", lambda: at[0])
    monkeypatch.setattr("time.sleep", sleep)
    return at


def patience(*, in_cloud_run: bool = True) -> Patience:
    return Patience(in_cloud_run=in_cloud_run, log=structlog.get_logger())


def test_a_refused_call_has_fifteen_minutes_and_one_last_try(clock: list[float]) -> None:
    one, error = patience(), DeniedError("no access to a")
    tries = 0
    while one.wait(error):
        tries += 1
        clock[0] += 100  # the next try takes long
    assert GRANT.total_seconds() == 900
    assert (tries, clock[0]) == (9, 1060)
    assert not one.covers(error)
    assert one.covers(DeniedError("no access to b"))
    assert not one.covers(ServiceError("no such topic"))


def test_a_call_that_was_refused_long_ago_begins_anew(clock: list[float]) -> None:
    one, error = patience(), DeniedError("no access")
    while one.wait(error):
        pass
    clock[0] += 3601
    assert one.covers(error)
    assert one.wait(error)


def test_a_person_is_told_at_once(clock: list[float]) -> None:
    one, error = patience(in_cloud_run=False), DeniedError("no access")
    assert not one.covers(error)
    assert not one.wait(error)
    assert clock == [0.0]
