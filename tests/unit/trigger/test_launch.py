"""Launching exactly once, with answers lost, quotas hit and processes dying in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from contract import layout
from contract.exceptions import TransientError
from contract.run import State, now, read_status
from contract.stores import Store
from contract.topics.jsonl import FileTopic
from tests.fakes.cloud_run import FakeCloudRun, Job
from tests.fakes.proxy import Fault, Kind, Proxy, once
from tests.unit.trigger.conftest import JOB
from trigger import launch
from trigger.accept import MessageResult, accept
from trigger.cloud_run import CloudRunLauncher
from trigger.delivery import Delivery
from trigger.execution import MaybeStartedError, NotStartedError

Make = Callable[..., Delivery]


@pytest.fixture
def proxy(run_service: FakeCloudRun, launcher: CloudRunLauncher) -> Iterator[Proxy]:
    """Between the launcher and Cloud Run, whose job is deployed."""
    with Proxy(run_service.url).running() as between:
        yield between


@pytest.fixture
def deliver(
    gcs_store: Store, topic: FileTopic, proxy: Proxy, message: Make
) -> Callable[[], MessageResult]:
    """Deliver the same message once more, to a new process."""
    one = message()

    def again() -> MessageResult:
        connected = CloudRunLauncher.connect(JOB, endpoint=proxy.url)
        return accept(one, store=gcs_store, publisher=topic, launcher=connected)[0]

    return again


def test_a_lost_answer_does_not_launch_twice(
    deliver: Callable[[], MessageResult], proxy: Proxy, run_service: FakeCloudRun
) -> None:
    proxy.decide = once(Fault(kind=Kind.CUT_AFTER), method="POST", containing=":run")
    outcome = deliver()
    assert outcome.state is State.LAUNCHED
    assert list(run_service.executions) == [outcome.execution]


@pytest.mark.parametrize("status", [500, 503, 504])
def test_an_error_that_may_have_launched_waits_for_the_claim(
    deliver: Callable[[], MessageResult],
    proxy: Proxy,
    run_service: FakeCloudRun,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy.decide = once(Fault(kind=Kind.STATUS, status=status), method="POST", containing=":run")
    with pytest.raises(MaybeStartedError):
        deliver()
    with pytest.raises(TransientError, match="being launched by another delivery"):
        deliver()
    assert run_service.executions == {}
    monkeypatch.setattr(launch, "CLAIM", timedelta(0))
    assert deliver().state is State.LAUNCHED
    assert len(run_service.executions) == 1


def test_a_claim_of_a_clock_that_was_wrong_does_not_block_its_run(
    deliver: Callable[[], MessageResult],
    proxy: Proxy,
    run_service: FakeCloudRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy.decide = once(Fault(kind=Kind.STATUS, status=503), method="POST", containing=":run")
    with pytest.raises(MaybeStartedError):
        deliver()
    monkeypatch.setattr(launch, "now", lambda: now() - timedelta(days=1))
    assert deliver().state is State.LAUNCHED
    assert len(run_service.executions) == 1


def test_a_quota_gives_the_claim_back(
    deliver: Callable[[], MessageResult], proxy: Proxy, run_service: FakeCloudRun, gcs_store: Store
) -> None:
    proxy.decide = once(Fault(kind=Kind.STATUS, status=429), method="POST", containing=":run")
    with pytest.raises(NotStartedError):
        deliver()
    outcome = deliver()
    assert outcome.state is State.LAUNCHED
    assert len(run_service.executions) == 1
    status = read_status(gcs_store, outcome.run_id)
    assert status is not None
    assert status.execution == outcome.execution


def test_a_process_that_dies_after_the_launch_is_found_out(
    deliver: Callable[[], MessageResult],
    run_service: FakeCloudRun,
    gcs_store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = deliver()
    gcs_store.delete(layout.status(first.run_id))  # it died before it could record the execution
    with pytest.raises(TransientError, match="being launched"):
        deliver()
    monkeypatch.setattr(launch, "CLAIM", timedelta(0))
    second = deliver()
    assert (second.state, second.execution) == (State.LAUNCHED, first.execution)
    assert len(run_service.executions) == 1


def test_a_process_that_dies_before_the_launch_is_replaced_once_its_claim_is_over(
    deliver: Callable[[], MessageResult],
    proxy: Proxy,
    run_service: FakeCloudRun,
    gcs_store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = deliver()
    [execution] = run_service.executions.values()
    execution.cancel()
    execution.done.wait(5)
    run_service.vanish(execution.name)
    gcs_store.delete(layout.status(first.run_id))

    with pytest.raises(TransientError, match="being launched"):
        deliver()
    monkeypatch.setattr(launch, "CLAIM", timedelta(0))
    assert deliver().state is State.LAUNCHED
    assert len(run_service.executions) == 1


def test_only_one_of_many_takes_an_old_claim_over(
    deliver: Callable[[], MessageResult],
    run_service: FakeCloudRun,
    proxy: Proxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy.decide = once(Fault(kind=Kind.STATUS, status=503), method="POST", containing=":run")
    monkeypatch.setattr(launch, "CLAIM", timedelta(0))
    with pytest.raises(MaybeStartedError):
        deliver()
    monkeypatch.setattr(launch, "CLAIM", timedelta(seconds=0.3))
    time.sleep(0.3)

    def one(_: int) -> str | None:
        try:
            return deliver().execution
        except TransientError:
            return None

    with ThreadPoolExecutor(6) as pool:
        names = set(pool.map(one, range(6))) - {None}
    assert set(run_service.executions) == names
    assert len(names) == 1


def test_the_list_of_executions_is_searched_to_its_end(
    deliver: Callable[[], MessageResult],
    run_service: FakeCloudRun,
    gcs_store: Store,
    launcher: CloudRunLauncher,
) -> None:
    first = deliver()
    parent = JOB.partition("/jobs/")[0]
    run_service.deploy(Job(name="mmm-trainer", command=()))  # its executions start no process
    for _ in range(150):
        run_service.run_job(parent, "mmm-trainer", {}, 1, None)
    [found] = launcher.find(first.run_id)
    assert found.name == first.execution
