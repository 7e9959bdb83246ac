"""Two runs of one market: every interleaving and every pair of deaths; never both at work at once.

The tests run the real trigger, job and `reconcile` on a folder. Only the pipeline between a run's
first and last status is replaced: it records which runs are inside.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from contract import layout
from contract.exceptions import TransientError
from contract.market import Market
from contract.request import Request, stored_request
from contract.run import State, read_status
from contract.stores import Store, open_store
from job import lifecycle
from job.attempt.context import Attempt
from job.attempt.lease import LeaseHolder
from job.attempt.request import find_request
from job.lifecycle import Ending, work_on
from job.pipeline import RunResult
from job.runtime.logs import Log
from job.runtime.settings import Settings
from tests.faults.model import CONFIG, KilledError, Schedule, Service, Topic, Watched
from trigger.accept import accept
from trigger.delivery import Delivery
from trigger.execution import Phase
from trigger.reconcile import reconcile

pytestmark = pytest.mark.no_cover  # exhaustive: measuring would double the time

BEFORE = 7  # calls of an attempt before it looks at its market
STEPS = 7  # the next calls of both, which are tried in every order
KINDS = ("killed before", "killed after", "lost")


class Silent:
    """A view and a log that discard everything."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *args, **kwargs: None


class Dying:
    """A process that is killed before or after its call `at`, or loses that call's answer."""

    def __init__(self, at: int, kind: str = "killed after") -> None:
        self.made, self.at, self.kind = 0, at, kind

    def before(self) -> None:
        if self.kind != "lost" and self.made > self.at - (self.kind == "killed before"):
            raise KilledError  # a killed process makes no more calls
        self.made += 1

    def then(self) -> None:
        if self.made == self.at + 1 and self.kind != "killed before":
            if self.kind == "lost":
                self.made += 1
                raise TransientError("no answer")
            raise KilledError


@dataclass
class World:
    """A bucket with accepted runs of one market, and the runs that are inside it."""

    store: Store
    service: Service = field(default_factory=Service)
    topic: Topic = field(default_factory=Topic)
    inside: set[str] = field(default_factory=set)
    trained: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    began: str = field(default_factory=lambda: datetime.now(UTC).isoformat())

    def accept(self, number: int, **limits: object) -> str:
        message = Delivery(
            message_id=str(number),
            publish_time=self.began,
            topic="t",
            data=json.dumps({"config": {**CONFIG, "limits": limits}}).encode(),
        )
        [outcome] = accept(message, store=self.store, publisher=self.topic, launcher=self.service)
        return outcome.run_id

    def execution_of(self, run_id: str) -> str:
        return self.service.find(run_id)[-1].name

    def attempt(
        self, run_id: str, number: int = 0, *, store: Any = None, execution: str | None = None
    ) -> Ending:
        """Run one attempt of the run's newest execution, through `store`."""
        execution = execution or self.execution_of(run_id)
        settings = Settings.read(
            bucket="x", topic="x", run_id=run_id, execution=execution, attempt=number, max_retries=2
        )
        through = store or self.store
        log: Log = structlog.testing.CapturingLogger()  # type: ignore[assignment]
        request = find_request(
            settings, through, self.topic, via="execution", overrides={}, force=False
        )
        view: Any = Silent()
        return work_on(request, settings, through, self.topic, log=log, view=view)

    def ended(self, run_id: str) -> None:
        """Mark the run's newest execution as succeeded."""
        name = self.execution_of(run_id)
        self.service.executions = [
            replace(one, phase=Phase.SUCCEEDED) if one.name == name else one
            for one in self.service.executions
        ]

    def settle(self, *runs: str) -> None:
        """Run `reconcile` and the executions that it launches, until all runs have ended."""
        for _ in range(4):
            known = {one.name for one in self.service.executions}
            passed = reconcile(self.store, self.topic, self.service)
            assert passed.problems == []
            for one in [one for one in self.service.executions if one.name not in known]:
                assert one.run_id is not None
                self.attempt(one.run_id, execution=one.name)
                self.ended(one.run_id)
        assert {run: self.state(run) for run in runs} == dict.fromkeys(runs, State.SUCCEEDED)
        assert self.broken == []

    def state(self, run_id: str) -> State:
        status = read_status(self.store, run_id)
        assert status is not None
        return status.state

    def work(self, run: Attempt) -> RunResult:
        """Replace the pipeline by two calls of the store; no other run may be inside meanwhile."""
        try:
            if self.inside - {run.run_id}:
                self.broken.append(f"{run.run_id} at the same time as {self.inside}")
            self.inside.add(run.run_id)
            for _ in range(2):
                run.store.write(f"runs/{run.run_id}/work/x", b"{}")
            self.trained.append(run.run_id)
        finally:
            self.inside.discard(run.run_id)
        return RunResult(state=State.SUCCEEDED, facts={})


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[object], World]:
    monkeypatch.setattr(LeaseHolder, "keep", lambda *args, **kwargs: None)

    def make(name: object) -> World:
        one = World(open_store(str(tmp_path / str(name))))
        monkeypatch.setattr(lifecycle, "run_pipeline", one.work)
        return one

    return make


def test_every_interleaving_of_two_runs_lets_one_work_at_a_time(
    world: Callable[[object], World],
) -> None:
    for turns in itertools.product((0, 1), repeat=STEPS):
        one = world("".join(map(str, turns)))
        runs = one.accept(1), one.accept(2)
        schedule, calls = Schedule(turns, 2), [0, 0]

        def act(actor: int) -> None:
            def call() -> None:
                calls[actor] += 1  # noqa: B023  joined before the next round
                if calls[actor] > BEFORE:  # noqa: B023
                    schedule.step(actor)  # noqa: B023

            step = Watched(one.store, call)  # noqa: B023
            try:
                one.attempt(runs[actor], store=step)  # noqa: B023
                one.ended(runs[actor])  # noqa: B023
            finally:
                schedule.leave(actor)  # noqa: B023

        threads = [threading.Thread(target=act, args=(actor,)) for actor in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        one.settle(*runs)
        assert sorted(one.trained) == sorted(runs), turns


def test_later_attempts_recover_from_every_death_and_lost_answer_of_the_first_two(
    world: Callable[[object], World],
) -> None:
    firsts = itertools.product(range(4, 15), KINDS)
    seconds = list(itertools.product(range(BEFORE + 1, BEFORE + 6, 3), KINDS))
    pairs = list(itertools.product(firsts, seconds))[::2]  # the simulation plays many more
    for number, (death, another) in enumerate(pairs):
        one = world(number)
        first, second = one.accept(1), one.accept(2)
        broken(one, first, 0, death)
        one.attempt(second)
        one.ended(second)
        broken(one, first, 1, another)
        one.attempt(first, 2)
        one.ended(first)
        one.settle(first, second)
        assert set(one.trained) == {first, second}, (death, another)


def broken(one: World, run_id: str, attempt: int, death: tuple[int, str]) -> None:
    dying = Dying(*death)
    try:
        one.attempt(run_id, attempt, store=Watched(one.store, dying.before, dying.then))
    except (KilledError, TransientError):
        return


def holding(one: World, run_id: str) -> None:
    """Let an attempt die while it holds its market."""
    broken(one, run_id, 0, (BEFORE + 4, "killed after"))
    assert one.trained == []


def test_waiting_runs_go_in_order_of_acceptance(world: Callable[[object], World]) -> None:
    one = world("order")
    runs = [one.accept(number) for number in range(4)]
    late = one.accept(9)
    holding(one, runs[0])  # holds the market
    for run_id in (runs[2], runs[1], runs[3]):
        ending = one.attempt(run_id)
        one.ended(run_id)
        assert (ending.exit_code, ending.state) == (0, State.ACCEPTED)
    one.attempt(runs[0], 1)
    one.ended(runs[0])
    one.attempt(late)  # the market is free, but other runs are ahead
    one.ended(late)
    assert one.trained == [runs[0]]
    one.settle(runs[0])
    assert one.trained == [*runs, late]
    market = Market.from_json(one.store.read(layout.market("DE")).data)
    assert (market.holder, market.waiting) == (late, [])


def test_a_run_that_must_not_wait_is_refused(world: Callable[[object], World]) -> None:
    one = world("refuse")
    first, second = one.accept(1), one.accept(2, when_busy="refuse")
    holding(one, first)
    ending = one.attempt(second)
    assert (ending.exit_code, ending.state) == (64, State.FAILED)
    assert f"run {first} is working on market `DE`" in str(ending.message)
    error = one.topic.events[-1]["data"]["error"]
    assert (error["kind"], error["step"], error["code"]) == ("LimitError", "limits", 64)


def test_a_daily_limit_counts_runs_not_attempts(world: Callable[[object], World]) -> None:
    one = world("cap")
    runs = [one.accept(number, max_runs_a_day=2) for number in range(3)]
    holding(one, runs[0])
    endings = [one.attempt(runs[0], 1), one.attempt(runs[1]), one.attempt(runs[2])]
    assert [ending.exit_code for ending in endings] == [0, 0, 64]
    assert "market `DE` has had 2 runs on" in str(endings[2].message)


def test_a_request_of_an_execution_that_left_is_launched_again(
    world: Callable[[object], World],
) -> None:
    one = world("executed")
    first, second = one.accept(1), one.accept(2)
    request = stored_request(one.store, second)
    assert request is not None
    own = request.origin.model_copy(update={"via": "execution", "execution": "job-1"})
    by_hand: Request = request.model_copy(update={"origin": own})
    one.store.write(f"runs/{second}/request.json", by_hand.to_json())
    holding(one, first)
    one.attempt(second)
    one.ended(second)
    one.attempt(first, 1)
    one.ended(first)
    one.settle(first, second)


def test_a_delivery_of_a_run_that_waits_launches_nothing(world: Callable[[object], World]) -> None:
    one = world("again")
    first, second = one.accept(1), one.accept(2)
    holding(one, first)
    one.attempt(second)
    one.ended(second)
    assert one.accept(2) == second
    assert len(one.service.executions) == 2
