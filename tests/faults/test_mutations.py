"""The exhaustive tests can fail: without one rule of the protocol, each finds a violation."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract import events, market
from contract.exceptions import MMMError
from job.attempt.lease import LeaseHolder
from tests.faults import test_attempts as attempts
from tests.faults import test_market as markets
from tests.faults.job_model import attempt, check_done, dying, losing, small

pytestmark = pytest.mark.no_cover  # exhaustive: measuring would double the time

__all__ = ["small"]
calls = attempts.calls


def sleeps(root: Path, calls: int) -> Iterator[Callable[[], None]]:
    """Yield plays in which an owner sleeps at one of its calls while another works."""
    for at in range(calls):
        yield lambda: attempts._asleep(root, at, deaths=())  # noqa: B023  called at once


def deaths(root: Path, calls: int) -> Iterator[Callable[[], None]]:
    """Yield plays with a death or a lost answer at one call, then a retry."""
    for at, trouble in itertools.product(range(calls), (dying, losing)):

        def play() -> None:
            store, topic = attempts.accepted(root, trouble.__name__, at)  # noqa: B023
            for number, how in ((0, trouble(at)), (1, None)):  # noqa: B023
                attempt(store, topic, "a", number=number, trouble=how)
            check_done(store, topic, at)  # noqa: B023

        yield play


def violation(plays: Iterator[Callable[[], None]]) -> str | None:
    """Return the error of the first play that fails, None if all succeed."""
    for play in plays:
        try:
            play()
        except (AssertionError, MMMError) as error:
            return str(error) or type(error).__name__
    return None


@pytest.mark.usefixtures("small")
def test_without_confirmed_leases_an_owner_that_slept_does_harm(
    tmp_path: Path, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LeaseHolder, "confirm", lambda self, manifest=None: None)
    assert violation(sleeps(tmp_path, calls)) is not None


@pytest.mark.usefixtures("small")
def test_with_random_event_ids_events_are_duplicated(
    tmp_path: Path, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "event_id", lambda run_id, kind: uuid.uuid4().hex)
    assert violation(deaths(tmp_path, calls)) is not None


def test_if_live_holders_count_as_dead_two_runs_work_on_a_market(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LeaseHolder, "keep", lambda *args, **kwargs: None)
    monkeypatch.setattr(market, "_is_alive", lambda *args: False)

    def make(name: object) -> markets.World:
        one = markets.World(markets.open_store(str(tmp_path / str(name))))
        monkeypatch.setattr(markets.lifecycle, "run_pipeline", one.work)
        return one

    with pytest.raises(AssertionError):
        markets.test_every_interleaving_of_two_runs_lets_one_work_at_a_time(make)
