"""The real Cloud Run client: what it sends, and what its answers mean."""

from __future__ import annotations

import sys
from datetime import timedelta

import pytest
import requests
from google.auth.transport.requests import AuthorizedSession
from google.cloud import run_v2

from contract.exceptions import ServiceError, TransientError
from tests.fakes.cloud_run import FakeCloudRun, Job
from tests.fakes.proxy import Fault, Kind, Proxy
from tests.unit.trigger.conftest import JOB
from trigger.cloud_run import KILLED, CloudRunLauncher, _phase
from trigger.execution import Launch, MaybeStartedError, NotStartedError, Phase

RUN_ID = "20261123T020000Z-1a2b3c4d"


def deploy(service: FakeCloudRun, program: str, **more: object) -> CloudRunLauncher:
    service.deploy(
        Job(name="mmm-trainer", command=[sys.executable, "-c", program], grace=0.2, **more)  # type: ignore[arg-type]
    )
    return CloudRunLauncher.connect(JOB, endpoint=service.url)


def ended(service: FakeCloudRun, name: str) -> None:
    assert service.executions[name].done.wait(20)


def test_overrides_reach_the_tasks(run_service: FakeCloudRun) -> None:
    launcher = deploy(run_service, "import time; time.sleep(30)")
    name = launcher.launch(
        Launch(run_id=RUN_ID, config_uri="gs://b/c", task_count=3, timeout=timedelta(minutes=7))
    )
    started = run_service.executions[name]
    assert started.env == {"MMM_RUN_ID": RUN_ID, "MMM_CONFIG_URI": "gs://b/c"}
    assert (started.task_count, started.timeout) == (3, 420.0)
    execution = launcher.get(name)
    assert execution is not None
    assert execution.phase is Phase.RUNNING
    assert execution.created_at is not None


@pytest.mark.parametrize(
    ("program", "phase", "reason"),
    [
        ("pass", Phase.SUCCEEDED, None),
        ("import sys; sys.exit(65)", Phase.FAILED, "task 0 ended with exit code 65"),
        (
            "import os; os.kill(os.getpid(), 9)",
            Phase.FAILED,
            f"task 0 ended with signal 9 ({KILLED})",
        ),
    ],
)
def test_the_end_of_an_execution_is_told_with_its_reason(
    run_service: FakeCloudRun, program: str, phase: Phase, reason: str | None
) -> None:
    launcher = deploy(run_service, program, max_retries=0)
    name = launcher.launch(Launch(run_id=RUN_ID))
    ended(run_service, name)
    execution = launcher.get(name)
    assert execution is not None
    assert (execution.phase, execution.reason) == (phase, reason)
    assert execution.ended_at is not None


def test_a_cancelled_execution_is_no_success(run_service: FakeCloudRun) -> None:
    launcher = deploy(run_service, "import time; time.sleep(30)")
    name = launcher.launch(Launch(run_id=RUN_ID))
    launcher.cancel(name.rpartition("/")[2])
    ended(run_service, name)
    execution = launcher.get(name)
    assert execution is not None
    assert execution.phase is Phase.CANCELLED
    launcher.cancel(name)


def test_what_does_not_exist(run_service: FakeCloudRun) -> None:
    launcher = deploy(run_service, "pass")
    assert launcher.get(f"{JOB}/executions/none") is None
    assert launcher.get("none") is None
    assert launcher.find(RUN_ID) == []
    launcher.cancel("none")
    other = CloudRunLauncher.connect(f"{JOB}-x", endpoint=run_service.url)
    with pytest.raises(ServiceError, match="does not know"):
        other.launch(Launch(run_id=RUN_ID))


def test_nobody_answers() -> None:
    launcher = CloudRunLauncher.connect(JOB, endpoint="http://127.0.0.1:9")
    with pytest.raises(TransientError):
        launcher.launch(Launch(run_id=RUN_ID))


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b"\xff", b'{"name": "operations/1"}'])
def test_an_answer_without_an_execution_may_have_started_one(
    run_service: FakeCloudRun, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    launcher = deploy(run_service, "pass")

    def junk(*_: object, **__: object) -> requests.Response:
        response = requests.Response()
        response.status_code = 200
        response._content = answer
        return response

    monkeypatch.setattr(AuthorizedSession, "request", junk)
    with pytest.raises(MaybeStartedError):
        launcher.launch(Launch(run_id=RUN_ID))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, NotStartedError),
        (409, NotStartedError),
        (503, MaybeStartedError),
        (500, MaybeStartedError),
        (403, ServiceError),
    ],
)
def test_a_launch_is_never_repeated(
    run_service: FakeCloudRun, status: int, error: type[Exception]
) -> None:
    deploy(run_service, "pass")
    with Proxy(run_service.url, lambda _: Fault(kind=Kind.STATUS, status=status)).running() as on:
        with pytest.raises(error):
            CloudRunLauncher.connect(JOB, endpoint=on.url).launch(Launch(run_id=RUN_ID))
        assert [call.method for call in on.calls] == ["POST"]


CANCELLED = run_v2.Condition(
    type_="Completed", execution_reason=run_v2.Condition.ExecutionReason.CANCELLED
)
NON_ZERO = run_v2.Condition(
    type_="Completed", execution_reason=run_v2.Condition.ExecutionReason.NON_ZERO_EXIT_CODE
)
AT = {"completion_time": {"seconds": 1_800_000_000}, "start_time": {"seconds": 1_700_000_000}}


@pytest.mark.parametrize(
    ("fields", "phase"),
    [
        ({}, Phase.PENDING),
        ({"start_time": {"seconds": 1_700_000_000}}, Phase.RUNNING),
        ({**AT, "task_count": 2, "succeeded_count": 2}, Phase.SUCCEEDED),
        ({**AT, "task_count": 2, "succeeded_count": 1}, Phase.FAILED),
        ({**AT, "task_count": 2, "succeeded_count": 1, "failed_count": 1}, Phase.FAILED),
        ({**AT, "task_count": 2, "succeeded_count": 1, "cancelled_count": 1}, Phase.CANCELLED),
        ({**AT, "task_count": 1, "conditions": [CANCELLED]}, Phase.CANCELLED),
        ({**AT, "task_count": 3, "failed_count": 1, "cancelled_count": 2}, Phase.FAILED),
        ({**AT, "task_count": 1, "cancelled_count": 1, "conditions": [NON_ZERO]}, Phase.FAILED),
        ({**AT, "task_count": 0}, Phase.FAILED),
    ],
)
def test_success_means_that_every_task_succeeded(fields: dict[str, object], phase: Phase) -> None:
    execution = run_v2.Execution(**fields)
    completed = execution.conditions[0] if execution.conditions else None
    assert _phase(execution, completed) is phase
