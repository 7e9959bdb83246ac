"""Reconciling: every accepted run reaches one terminal state and one event, whatever died."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import flask
import pytest

from contract import layout
from contract.exceptions import TransientError
from contract.lease import LEASE_SECONDS, Lease
from contract.run import RunError, State, Status, change_status, now, read_status
from contract.stores import Store, open_store
from contract.topics.jsonl import FileTopic
from mmm.local.tasks import LocalExecution
from tests.fakes.cloud_run import FakeCloudRun, Job
from tests.unit.trigger.conftest import JOB, SLEEP, events_in
from trigger import launch, main
from trigger.accept import accept
from trigger.cloud_run import CloudRunLauncher
from trigger.delivery import Delivery
from trigger.reconcile import PASS_SECONDS, SILENCE, reconcile
from trigger.settings import Settings

Make = Callable[..., Delivery]
NO_TIME = timedelta(0)
ROOT = Path(__file__).resolve().parents[3]


class Scene:
    """One accepted and launched run."""

    def __init__(
        self, store: Store, topic: FileTopic, service: FakeCloudRun, message: Delivery
    ) -> None:
        self.store, self.topic, self.service = store, topic, service
        self.launcher = CloudRunLauncher.connect(JOB, endpoint=service.url)
        [outcome] = accept(message, store=store, publisher=topic, launcher=self.launcher)
        self.run_id = outcome.run_id

    @property
    def execution(self) -> LocalExecution:
        [execution] = self.service.of_run(self.run_id)
        return execution

    @property
    def status(self) -> Status:
        status = read_status(self.store, self.run_id)
        assert status is not None
        return status

    def execute_again(self, *, tasks: int = 1, timeout: float | None = None) -> LocalExecution:
        """Another execution of the run, as a person starts it."""
        env = [{"name": "MMM_RUN_ID", "value": self.run_id}]
        overrides = {"containerOverrides": [{"env": env}]}
        parent = JOB.partition("/jobs/")[0]
        return self.service.run_job(parent, "mmm-trainer", overrides, tasks, timeout)

    def settle(self, silence: timedelta = timedelta(minutes=10)) -> dict[str, int]:
        passed = reconcile(self.store, self.topic, self.launcher, silence=silence)
        assert passed.problems == []
        return dict(passed.results)

    def events(self) -> list[str]:
        return [event["state"] for event in events_in(self.topic)]


@pytest.fixture
def scene(
    gcs_store: Store, topic: FileTopic, run_service: FakeCloudRun, message: Make
) -> Callable[[str], Scene]:
    def make(program: str) -> Scene:
        command = [sys.executable, "-c", program]
        run_service.deploy(Job(name="mmm-trainer", command=command, grace=0.2, max_retries=0))
        return Scene(gcs_store, topic, run_service, message())

    return make


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os; os.kill(os.getpid(), 9)", "task 0 ended with signal 9"),
        ("import sys; sys.exit(75)", "task 0 ended with exit code 75"),
    ],
)
def test_a_dead_execution_ends_the_run_with_cloud_runs_reason(
    scene: Callable[[str], Scene], program: str, reason: str
) -> None:
    one = scene(program)
    assert one.execution.done.wait(10)
    assert one.settle() == {"closed": 1}
    assert one.status.state is State.FAILED
    assert one.status.error is not None
    assert reason in one.status.error.message
    assert one.events() == ["FAILED"]
    assert one.settle() == {}
    assert one.events() == ["FAILED"]


def test_a_run_that_a_pass_fails_is_logged_as_an_error(scene: Callable[[str], Scene]) -> None:
    one = scene("import sys; sys.exit(75)")
    assert one.execution.done.wait(10)
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    main.log.addHandler(handler)
    try:
        for _ in range(2):
            reconcile(one.store, one.topic, one.launcher, silence=NO_TIME, on_end=main._log_end)
    finally:
        main.log.removeHandler(handler)
    [record] = records
    assert record.levelname == "ERROR"
    assert re.fullmatch(rf"run {one.run_id} is FAILED: .*exit code 75.*", record.getMessage())


def test_a_run_that_a_pass_closes_is_in_the_page_about_all_markets(
    scene: Callable[[str], Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = scene("import sys; sys.exit(75)")
    assert one.execution.done.wait(10)
    monkeypatch.setattr("trigger.reconcile.SILENCE", NO_TIME)
    for name, value in (("store", one.store), ("publisher", one.topic), ("launcher", one.launcher)):
        monkeypatch.setattr(main, f"_{name}", lambda value=value: value)
    monkeypatch.setattr(main, "_settings", lambda: Settings(bucket="b", events_topic="t", job=JOB))
    with flask.Flask("function").test_request_context():
        assert main.reconcile(flask.request)["results"] == {"closed": 1}
        page = one.store.read(layout.index())
        assert one.run_id in page.data.decode()
        assert "FAILED" in page.data.decode()
        assert main.reconcile(flask.request)["results"] == {}
    assert one.store.read(layout.index()).generation == page.generation  # nothing has changed


def test_a_task_that_ran_out_of_time_is_told_as_such(scene: Callable[[str], Scene]) -> None:
    one = scene("import time; time.sleep(60)")
    execution = one.execute_again(timeout=0.5)
    assert execution.done.wait(30)
    change_status(
        one.store, one.run_id,
        lambda old: {
            "execution": execution.name,
            "error": RunError(code=143, kind="CancelledError", message="told to stop"),
        },
    )  # fmt: skip
    assert one.settle() == {"closed": 1}
    assert one.status.state is State.FAILED
    assert "the task timed out; the job reported: told to stop" in str(one.status.error)


def test_success_is_that_of_all_tasks(scene: Callable[[str], Scene]) -> None:
    one = scene("import os, sys; sys.exit(int(os.environ['CLOUD_RUN_TASK_INDEX']))")
    execution = one.execute_again(tasks=2)
    assert execution.done.wait(30)
    change_status(one.store, one.run_id, lambda old: {"execution": execution.name})
    assert one.settle() == {"closed": 1}
    assert "task 1 ended with exit code 1" in str(one.status.error)


def test_no_run_is_running_without_an_owner_for_more_than_a_quarter_of_an_hour() -> None:
    """An owner dies just after a heartbeat; the next pass but one may be the first to see it."""
    schedule = (ROOT / "infra" / "scheduler.tf").read_text()
    [minutes] = re.findall(r'"\*/(\d+) \* \* \* \*"', schedule)
    between = timedelta(minutes=int(minutes)) + timedelta(seconds=PASS_SECONDS)
    dead = timedelta(seconds=LEASE_SECONDS)  # its execution is over
    silent = SILENCE  # its execution goes on, or is gone
    assert max(dead, silent) + between <= timedelta(minutes=15)


def test_a_cancelled_execution_cancels_the_run(scene: Callable[[str], Scene]) -> None:
    one = scene("import time; time.sleep(30)")
    assert one.settle() == {"open": 1}
    one.execution.cancel()
    assert one.execution.done.wait(10)
    assert one.settle() == {"closed": 1}
    assert (one.status.state, one.events()) == (State.CANCELLED, ["CANCELLED"])


def test_a_vanished_execution_fails_the_run_once_it_is_silent(
    scene: Callable[[str], Scene],
) -> None:
    one = scene("pass")
    execution = one.execution
    assert execution.done.wait(10)
    one.service.vanish(execution.name)
    assert one.settle() == {"open": 1}
    assert one.settle(silence=NO_TIME) == {"closed": 1}
    assert "no longer exists" in str(one.status.error)


def test_success_without_a_result_is_no_success(scene: Callable[[str], Scene]) -> None:
    one = scene("pass")
    assert one.execution.done.wait(10)
    assert one.settle() == {"open": 1}
    assert one.settle(silence=NO_TIME) == {"closed": 1}
    assert one.status.state is State.FAILED
    assert "ended without a result" in str(one.status.error)


def test_a_run_without_a_sign_of_life_is_stopped(scene: Callable[[str], Scene]) -> None:
    one = scene("import time; time.sleep(60)")
    change_status(
        one.store, one.run_id, lambda old: {"state": State.RUNNING, "heartbeat_at": now()}
    )
    assert one.settle() == {"open": 1}
    assert one.settle(silence=NO_TIME) == {"closed": 1}
    assert one.execution.done.wait(10)
    assert "no sign of life" in str(one.status.error)


def test_a_silent_run_that_is_stopped_has_failed_whatever_the_job_makes_of_it(
    scene: Callable[[str], Scene],
) -> None:
    one = scene("import time; time.sleep(60)")
    change_status(
        one.store, one.run_id, lambda old: {"state": State.RUNNING, "heartbeat_at": now()}
    )

    class Prompt(CloudRunLauncher):
        """The job calls its run cancelled as soon as it is stopped."""

        def cancel(self, name: str) -> None:
            change_status(one.store, one.run_id, lambda old: {"state": State.CANCELLED})
            super().cancel(name)

    one.launcher = Prompt.connect(JOB, endpoint=one.service.url)
    assert one.settle(silence=NO_TIME) == {"closed": 1}
    assert (one.status.state, one.events()) == (State.FAILED, ["FAILED"])
    assert one.execution.done.wait(10)


def test_a_live_lease_is_left_alone(scene: Callable[[str], Scene]) -> None:
    one = scene("import sys; sys.exit(1)")
    assert one.execution.done.wait(10)
    lease = Lease(
        owner="x", execution="other", task=0, attempt=0, nonce="n", seconds=1.5
    )  # fmt: skip
    one.store.write(layout.lease(one.run_id), lease.to_json())
    assert one.settle() == {"open": 1}
    time.sleep(1.6)
    assert one.settle() == {"closed": 1}


def test_a_request_that_was_never_launched_is_launched_or_given_up(
    scene: Callable[[str], Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = scene("import time; time.sleep(30)")
    first = one.execution
    first.cancel()
    assert first.done.wait(10)
    one.service.vanish(first.name)
    one.store.delete(layout.status(one.run_id))
    assert one.settle() == {"open": 1}
    monkeypatch.setattr(launch, "CLAIM", NO_TIME)
    assert one.settle() == {"launched": 1}
    assert one.status.execution == one.execution.name


def test_events_that_could_not_be_published_are_published(
    tmp_path: Path, run_service: FakeCloudRun, message: Make
) -> None:
    store = open_store(str(tmp_path / "bucket"))
    run_service.deploy(Job(name="mmm-trainer", command=SLEEP, grace=0.2))
    launcher = CloudRunLauncher.connect(JOB, endpoint=run_service.url)

    class Down(FileTopic):
        def publish(self, *_: object) -> str:
            raise TransientError("the topic is down")

    accept(message(b"{"), store=store, publisher=Down(tmp_path / "x"), launcher=launcher)
    topic = FileTopic(tmp_path / "events.jsonl")
    down = reconcile(store, Down(tmp_path / "x"), launcher)
    assert len(down.problems) == 1
    assert dict(reconcile(store, topic, launcher).results) == {"closed": 1}
    assert [event["state"] for event in events_in(topic)] == ["REJECTED"]


def test_old_requests_are_given_up(scene: Callable[[str], Scene]) -> None:
    one = scene("pass")
    assert one.execution.done.wait(10)
    one.store.delete(layout.status(one.run_id))
    passed = reconcile(one.store, one.topic, one.launcher, max_age=NO_TIME)
    assert dict(passed.results) == {"closed": 1}
    assert "never started" in str(one.status.error)
