"""Every death, sleep and lost answer of an attempt at every call, while others take over."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from contract import layout
from contract.run import State, read_status
from contract.stores import Store, open_store
from job import pipeline
from job.outputs import ledger
from job.outputs.decide import Comparison
from tests.faults.job_model import (
    RUN,
    Troubled,
    accept,
    attempt,
    check_done,
    dying,
    folder_of,
    losing,
    sleeping,
    small,
)
from tests.faults.model import Topic

__all__ = ["small"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.no_cover,  # exhaustive: measuring would double the time
    pytest.mark.usefixtures("small"),
]


def accepted(root: Path, *names: object) -> tuple[Store, Topic]:
    store = open_store(folder_of(root, *names))
    accept(store)
    return store, Topic()


@pytest.fixture
def calls(tmp_path: Path) -> int:
    """Return the number of calls of an undisturbed attempt."""
    store, topic = accepted(tmp_path, "undisturbed")
    counting = Troubled(store, lambda number, after: None)
    attempt(counting, topic, "a")  # type: ignore[arg-type]
    check_done(store, topic, "undisturbed")
    return next(counting.made)


def test_every_death_of_two_attempts_before_a_third(tmp_path: Path, calls: int) -> None:
    for first in range(calls):
        for second in range(first % 41, calls, 41):
            store, topic = accepted(tmp_path, first, second)
            attempt(store, topic, "a", trouble=dying(first))
            attempt(store, topic, "a", number=1, trouble=dying(second))
            attempt(store, topic, "a", number=2)
            check_done(store, topic, (first, second))


def test_a_run_that_is_held_after_every_death(
    tmp_path: Path, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Comparison(against=None, channels=(), reasons=("its ROAS changed",))
    monkeypatch.setattr(pipeline, "decide", lambda *_: held)
    for at in range(calls):
        store, topic = accepted(tmp_path, "held", at)
        attempt(store, topic, "a", trouble=dying(at))
        attempt(store, topic, "a", number=1)
        status = read_status(store, RUN)
        assert status is not None
        assert (status.state, status.error) == (State.HELD, None), at
        assert {event["data"]["state"] for event in topic.events} == {"HELD"}, at
        assert topic.events[0]["data"]["drift"]["reasons"] == ["its ROAS changed"], at
        assert len({event["id"] for event in topic.events}) == 1, at
        assert store.stat(layout.current("r1", "DE")) is None, at
        assert not list(store.list(layout.FINGERPRINTS)), at
        [decision] = ledger.decisions(store, "r1", "DE")
        assert (decision.run_id, decision.action, decision.by) == (RUN, "hold", "job"), at


def test_a_retry_recovers_from_every_lost_answer(tmp_path: Path, calls: int) -> None:
    for at in range(calls):
        store, topic = accepted(tmp_path, at)
        ending = attempt(store, topic, "a", trouble=losing(at))
        assert ending is not None
        status = read_status(store, RUN)
        assert status is not None
        if not status.state.is_terminal:
            assert ending.exit_code == 75, at
        for number in (1, 2):
            attempt(store, topic, "a", number=number)
        check_done(store, topic, at)


def test_every_sleep_of_an_owner_while_another_works(tmp_path: Path, calls: int) -> None:
    for at in range(calls):
        _asleep(tmp_path, at, deaths=())


def test_every_sleep_of_an_owner_while_another_dies_and_a_third_works(
    tmp_path: Path, calls: int
) -> None:
    for at in range(calls):
        for death in range(at % 53, calls, 53):
            _asleep(tmp_path, at, deaths=(death,))


def _asleep(root: Path, at: int, deaths: tuple[int, ...]) -> None:
    """Stop an owner before its call `at`, let others take over, then let it continue."""
    why = ("asleep at", at, "deaths at", deaths)
    store, topic = accepted(root, at, *deaths)
    asleep, wake = threading.Event(), threading.Event()
    owner = threading.Thread(
        target=attempt, args=(store, topic, "a"), kwargs={"trouble": sleeping(at, asleep, wake)}
    )
    owner.start()
    assert asleep.wait(60), why
    for number, death in enumerate(deaths):
        attempt(store, topic, "b", number=number, trouble=dying(death))
    attempt(store, topic, "b", number=len(deaths))
    wake.set()
    owner.join(60)
    status = read_status(store, RUN)
    assert status is not None, why
    if status.state is not State.SUCCEEDED:  # the sleeper took the lease back, and left
        attempt(store, topic, "c")
    check_done(store, topic, why)


def test_every_sleep_of_two_owners_that_continue_in_turn(tmp_path: Path, calls: int) -> None:
    for first in range(calls):
        for second in range(first % 53, calls, 53):
            why = ("asleep at", first, second)
            store, topic = accepted(tmp_path, *why)
            owners = []
            for execution, at in (("a", first), ("b", second)):
                asleep, wake = threading.Event(), threading.Event()
                owner = threading.Thread(
                    target=attempt,
                    args=(store, topic, execution),
                    kwargs={"trouble": sleeping(at, asleep, wake)},
                )
                owner.start()
                while owner.is_alive() and not asleep.wait(0.01):
                    continue  # the second may find the run ended, or leave, before it sleeps
                owners.append((owner, wake))
            for owner, wake in owners:
                wake.set()
                owner.join(60)
            attempt(store, topic, "c")
            check_done(store, topic, why)
