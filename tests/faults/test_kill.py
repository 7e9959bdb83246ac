"""kill -9 of a job in training, then a retry: the same metrics and tables, nothing twice."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from job.attempt.tasks import GO
from tests.faults import kill
from tests.faults.kill import RETRIES, Execution, undisturbed
from tests.runs import WEEKLY, Result, needs_r, wait_until

CONFIG = f"""{WEEKLY}
training: {{trials: 3, iterations: 400, min_candidates: 20, engine: builtin, prophet: [trend],
  cores: 1, tasks: 2, min_r2: -1}}
posterior: {{sweeps: 60}}
outputs: {{onepagers: 0, allocator: []}}
"""
pytestmark = [needs_r, pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("kill")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Return the results of an undisturbed run."""
    return undisturbed(tmp_path_factory.mktemp("whole"), CONFIG)[0]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[int], Execution]]:
    """Start an execution with a number of tasks; kill its processes if the test fails."""
    with ExitStack() as stack:
        yield lambda tasks: stack.enter_context(Execution(tmp_path, "fatal", tasks, CONFIG))


def test_a_killed_job_resumes(start: Callable[[int], Execution], whole: Result) -> None:
    execution = start(1)
    wait_until(lambda: kept(execution, "trials/trial_1.rds"))
    execution.running[0].kill()
    execution.finish()
    assert execution.attempts == [1]
    assert detail(execution, 0, "extract")["reused"] is True
    assert detail(execution, 0, "train")["resumed_trials"] >= 1
    assert execution.result() == whole


def test_retries_complete_tasks_killed_before_and_during_the_merge(
    start: Callable[[int], Execution], whole: Result
) -> None:
    execution = start(2)
    first, second = execution.running[0], execution.running[1]
    wait_until(lambda: kept(execution, GO))
    first.send_signal(signal.SIGSTOP)  # it stores no trial now, so it will be the last
    wait_until(lambda: works_with_r(second))
    second.kill()
    execution.finish(but={0})
    assert execution.attempts == [0, 1]
    assert execution.merging_task() is None
    first.send_signal(signal.SIGCONT)
    wait_until(lambda: execution.merging_task() is not None)
    assert execution.merging_task() == 0
    first.kill()
    execution.finish()
    assert execution.attempts == [1, 1]
    assert detail(execution, 0, "train")["resumed_trials"] == 3
    assert execution.result() == whole


def test_the_last_allowed_attempt_is_not_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    victim = SimpleNamespace(pid=1, cmdline=lambda: ["job"], kill=lambda: pytest.fail("killed"))
    last: Any = SimpleNamespace(
        tasks=1, attempts=[RETRIES], running={0: None}, processes=lambda: [victim],
        started_training=lambda: True, finish=lambda on_retry: None,
    )  # fmt: skip
    last.can_retry = lambda: Execution.can_retry(last)
    assert kill._play(last, random.Random(1), seconds=0.0) == []
    last.attempts = [RETRIES - 1]
    with pytest.raises(pytest.fail.Exception, match="killed"):
        kill._play(last, random.Random(1), seconds=0.0)


def kept(execution: Execution, name: str) -> bool:
    return any(info.path.endswith(f"/work/{name}") for info in execution.store.list("runs/"))


def works_with_r(job: Any) -> bool:
    children = psutil.Process(job.pid).children(recursive=True)
    return any(child.name() == "R" for child in children)


def detail(execution: Execution, task: int, step: str) -> dict[str, Any]:
    """Return the log entry with which the last attempt of a task finished a step."""
    lines = [json.loads(line) for line in execution.log(task).read_text().splitlines()]
    return [li for li in lines if li.get("step") == step and li["state"] == "finished"][-1]
