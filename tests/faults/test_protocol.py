"""Every interleaving of two deliveries and every death of three: one launch, always."""

from __future__ import annotations

import itertools
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from contract.exceptions import TransientError
from contract.run import State, read_status
from contract.stores import Store, open_store
from tests.faults.model import KilledError, Schedule, Service, Topic, Watched, killing, message
from trigger import launch
from trigger.accept import Outcome, accept
from trigger.message import PubSubMessage
from trigger.reconcile import reconcile

STEPS = 6  # no delivery of these makes more calls before its fate is decided


def deliver(store: Store, service: Service, delivered: PubSubMessage) -> list[Outcome]:
    return accept(delivered, store=store, publisher=Topic(), launcher=service)


def check(store: Store, service: Service) -> None:
    [execution] = service.executions
    status = read_status(store, execution.env["MMM_RUN_ID"])
    assert status is not None
    assert (status.state, status.execution) == (State.LAUNCHED, execution.name)


@pytest.mark.parametrize("answers", [[], ["busy"], ["lost"], ["away"], ["lost", "busy"]], ids=str)
def test_every_interleaving_of_two_deliveries_launches_once(
    tmp_path: Path, answers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = list(itertools.product((0, 1), repeat=STEPS))
    for number, turns in enumerate(orders):
        monkeypatch.setattr(launch, "CLAIM", timedelta(seconds=90))
        store, service = open_store(str(tmp_path / str(number))), Service(answers=list(answers))
        schedule, delivered = Schedule(turns, 2), message()

        def act(actor: int) -> None:
            def step() -> None:
                schedule.step(actor)  # noqa: B023  joined before the next round

            try:
                accept(
                    delivered,  # noqa: B023
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
        for _ in range(4):
            try:
                deliver(store, service, delivered)
            except TransientError:
                continue
        check(store, service)


@pytest.mark.parametrize("healer", ["redelivery", "reconcile"])
def test_every_death_of_three_attempts_is_healed(
    tmp_path: Path, healer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "CLAIM", timedelta(0))
    points = list(itertools.product(range(STEPS), (False, True)))
    for number, deaths in enumerate(itertools.product(points, points)):
        store, service = open_store(str(tmp_path / str(number))), Service()
        delivered = message()
        for at, after in deaths:
            dying_store, dying_service = killing(store, service, at, after=after)
            try:
                accept(delivered, store=dying_store, publisher=Topic(), launcher=dying_service)
            except (KilledError, TransientError):
                continue
        if healer == "reconcile" and list(store.folders("runs/")):
            passed = reconcile(store, Topic(), service)
            assert passed.problems == [], deaths
        else:
            deliver(store, service, delivered)
        check(store, service)
