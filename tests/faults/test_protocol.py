"""Every interleaving of two deliveries and every death of three attempts: always one launch.

The deliveries are of one message delivered twice, and of two messages with the same key.
"""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contract.exceptions import TransientError
from contract.run import State, read_status
from contract.stores import Store, open_store
from tests.faults.model import KilledError, Schedule, Service, Topic, Watched, killing, message
from trigger import launch
from trigger.accept import MessageResult, accept
from trigger.delivery import Delivery
from trigger.execution import Launch, NotStartedError
from trigger.reconcile import reconcile

pytestmark = pytest.mark.no_cover  # exhaustive: measuring would double the time

ORDERED = 6  # the first calls of two deliveries, which are tried in every order
STEPS = 7  # the most calls that a delivery makes before its result is certain
DELIVERED = {
    "one message twice": lambda: (message(1),) * 2,
    "two messages with one key": lambda: (message(1, key="k"), message(2, key="k")),
}


def deliver(store: Store, service: Service, delivered: Delivery) -> list[MessageResult]:
    return accept(delivered, store=store, publisher=Topic(), launcher=service)


def check(store: Store, service: Service) -> None:
    [execution] = service.executions
    status = read_status(store, execution.env["MMM_RUN_ID"])
    assert status is not None
    assert (status.state, status.execution) == (State.LAUNCHED, execution.name)


@pytest.mark.parametrize("which", DELIVERED)
@pytest.mark.parametrize(
    "answers",
    [[], ["busy"], ["lost"], ["unreachable"], ["busy", "busy"], ["busy", "lost"]],
    ids=str,
)
def test_every_interleaving_of_two_deliveries_launches_once(
    tmp_path: Path, answers: list[str], which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = list(itertools.product((0, 1), repeat=ORDERED))
    for number, turns in enumerate(orders):
        monkeypatch.setattr(launch, "CLAIM", timedelta(seconds=90))
        store, service = open_store(str(tmp_path / str(number))), Service(answers=list(answers))
        schedule, delivered = Schedule(turns, 2), DELIVERED[which]()

        def act(actor: int) -> None:
            def step() -> None:
                schedule.step(actor)  # noqa: B023  joined before the next round

            try:
                accept(
                    delivered[actor],  # noqa: B023
                    store=Watched(store, step),  # type: ignore[arg-type]  # noqa: B023
                    publisher=Topic(),
                    launcher=Watched(service, step),  # type: ignore[arg-type]  # noqa: B023
                )
            except TransientError:
                return  # Pub/Sub delivers again
            finally:
                schedule.leave(actor)  # noqa: B023

        threads = [threading.Thread(target=act, args=(actor,)) for actor in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(service.executions) <= 1, turns
        monkeypatch.setattr(launch, "CLAIM", timedelta(0))
        for again in range(5):
            try:
                deliver(store, service, delivered[again % 2])
            except TransientError:
                continue
        check(store, service)


@pytest.mark.parametrize(
    ("recovery", "answers", "which"),
    [
        ("redelivery", [], "one message twice"),
        ("redelivery", ["busy", "lost"], "two messages with one key"),
        ("reconcile", [], "two messages with one key"),
        ("reconcile", ["busy", "lost"], "one message twice"),
    ],
)
def test_redelivery_and_reconcile_recover_from_every_death(
    tmp_path: Path, recovery: str, answers: list[str], which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "CLAIM", timedelta(0))
    points = list(itertools.product(range(STEPS), (False, True)))
    for number, deaths in enumerate(itertools.product(points, points)):
        store, service = open_store(str(tmp_path / str(number))), Service(answers=list(answers))
        delivered = DELIVERED[which]()
        for one, (at, after) in zip(delivered, deaths, strict=True):
            dying_store, dying_service = killing(store, service, at, after=after)
            try:
                accept(one, store=dying_store, publisher=Topic(), launcher=dying_service)
            except (KilledError, TransientError):
                continue
        service.answers.clear()
        if recovery == "reconcile" and list(store.folders("runs/")):
            passed = reconcile(store, Topic(), service)
            assert passed.problems == [], deaths
        else:
            deliver(store, service, delivered[0])
        check(store, service)


@pytest.mark.parametrize("which", DELIVERED)
@pytest.mark.parametrize("answers", [["busy"], ["busy", "busy"]], ids=str)
def test_a_refused_launch_is_repeated_without_a_wait_or_a_search(
    tmp_path: Path, answers: list[str], which: str
) -> None:
    store, service = open_store(str(tmp_path)), Service(answers=list(answers))
    delivered = DELIVERED[which]()
    for one in answers:
        with pytest.raises(NotStartedError, match=one):
            deliver(store, service, delivered[0])
    assert deliver(store, service, delivered[1])[0].state is State.LAUNCHED
    assert service.searches == 0
    check(store, service)


@pytest.mark.parametrize("first", ["lost", "unreachable", "dies"])
def test_a_launch_that_may_have_started_is_searched_for_even_after_a_refusal(
    tmp_path: Path, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "CLAIM", timedelta(0))
    store, service, delivered = open_store(str(tmp_path)), Service(), message()
    service.answers = ["unreachable" if first == "lost" else first, "busy"]
    watched: Any = service
    if first == "dies":
        service.answers.pop(0)
        _, watched = killing(store, service, 0, after=False)
    with pytest.raises((TransientError, KilledError)):
        accept(delivered, store=store, publisher=Topic(), launcher=watched)
    with pytest.raises(NotStartedError):
        deliver(store, service, delivered)
    if first == "lost":  # its execution appears late
        run_id = next(iter(store.folders("runs/")))
        service.launch(Launch(run_id=run_id))
    deliver(store, service, delivered)
    check(store, service)


def test_a_refused_process_that_slept_takes_nothing_from_its_successor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, service, delivered = open_store(str(tmp_path)), Service(), message()
    refused, launched = threading.Event(), threading.Event()
    first_is_done, second_may_go = threading.Event(), threading.Event()

    class Sleeper(Service):
        def launch(self, launch: Launch) -> str:
            refused.set()
            assert launched.wait(30)
            raise NotStartedError("busy")

    class Successor(Service):
        def launch(self, launch: Launch) -> str:
            name = service.launch(launch)
            launched.set()
            assert second_may_go.wait(30)
            return name

    def first() -> None:
        with pytest.raises(NotStartedError):
            deliver(store, Sleeper(), delivered)
        first_is_done.set()

    def second() -> None:
        deliver(store, Successor(), delivered)

    with ThreadPoolExecutor(2) as pool:
        asleep = pool.submit(first)
        assert refused.wait(30)
        late = datetime.now(UTC) + launch.CLAIM
        monkeypatch.setattr(launch, "now", lambda: late)
        taken = pool.submit(second)
        assert first_is_done.wait(30)  # it has tried to release its claim
        with pytest.raises(TransientError, match="being launched by another"):
            deliver(store, service, delivered)
        second_may_go.set()
        asleep.result(30)
        taken.result(30)
    check(store, service)
