"""What an attempt writes about itself, and how often, to a bucket that limits the writes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from contract import layout
from contract.exceptions import CancelledError, ServiceError, TransientError
from contract.run import RunError, State, TaskStatus, create_status, read_status
from contract.stores.base import Store
from contract.stores.folder import FolderStore
from job.attempt import status as statuses
from job.attempt.status import StatusWriter, note_failure
from job.runtime.settings import Settings
from job.runtime.signals import stop_on_signal
from job.runtime.trace import Trace
from tests.fakes.strict_store import StrictStore
from tests.fakes.write_limit import WriteLimit
from tests.runs import wait_until
from tests.unit.attempt.test_lease import RUN
from tests.unit.contract.test_runs import status

PAUSE = 0.05
VIEW: Any = SimpleNamespace(step=lambda step: None, progress=lambda record: None)


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit of one write in PAUSE seconds, and waits to match."""
    monkeypatch.setattr(statuses, "STEP_SECONDS", 2 * PAUSE)
    monkeypatch.setattr(statuses, "PROGRESS_SECONDS", 5 * PAUSE)


def settings(task: int = 0) -> Settings:
    return Settings.read(bucket="b", topic="t", execution="e", task_index=task, task_count=task + 1)


def writer(store: Store, task: int = 0) -> StatusWriter:
    one = StatusWriter(store, RUN, settings(task), VIEW, log=structlog.get_logger())
    one.trace = Trace(log=structlog.get_logger(), on_change=one.step)
    return one


def record(trial: int) -> dict[str, Any]:
    return {"type": "progress", "trial": trial, "iteration": 5, "iterations": 9, "trials": 3}


class Stopping(FolderStore):
    """A bucket during whose writes the process gets SIGTERM."""

    def write(self, *_: Any, **__: Any) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("the write went on")


def test_a_stop_during_a_heartbeat_stops_the_attempt(tmp_path: Path) -> None:
    create_status(FolderStore(tmp_path), status(State.RUNNING))
    with stop_on_signal(), pytest.raises(CancelledError, match="stopped by SIGTERM"):
        writer(Stopping(tmp_path)).beat()


def work(store: Store, task: int, seconds: float) -> None:
    with writer(store, task) as one:
        assert one.trace is not None
        for name in ("limits", "extract", "gate"):
            with one.trace.step(name):
                pass
        with one.trace.step("train"):
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                one.progress(record(task))
                time.sleep(PAUSE / 2)


def test_a_hundred_tasks_do_not_refuse_each_other(tmp_path: Path) -> None:
    limit = WriteLimit(PAUSE)
    create_status(FolderStore(tmp_path), status(State.ACCEPTED))
    with structlog.testing.capture_logs() as logs, ThreadPoolExecutor(100) as pool:
        list(pool.map(lambda n: work(StrictStore(tmp_path, limit), n, 4 * PAUSE), range(100)))
    assert limit.refused.total() == 0
    assert [line for line in logs if line["log_level"] != "info"] == []
    store = FolderStore(tmp_path)
    ran = read_status(store, RUN)
    assert ran is not None
    assert (ran.state, ran.step, ran.progress["by_trial"]) == (State.RUNNING, "train", {"0": 5})
    path = layout.task(RUN, 99)
    task = TaskStatus.from_json(store.read(path).data, path=path, run_id=RUN)
    assert (task.task, task.step, task.progress["by_trial"]) == (99, "train", {"99": 5})


def test_short_steps_are_written_together(tmp_path: Path) -> None:
    store = StrictStore(tmp_path, WriteLimit(PAUSE))
    create_status(store, status(State.ACCEPTED))
    generations = set()

    def note(*_: object) -> None:
        generations.add(store.read(layout.status(RUN)).generation)

    with writer(store) as one:
        assert one.trace is not None
        for name in ("limits", "extract", "gate", "estimate"):
            with one.trace.step(name):
                note()
        with one.trace.step("train"):
            wait_until(
                lambda: (seen := read_status(store, RUN)) is not None and seen.step == "train"
            )
            note()
    assert len(generations) <= 3
    stored = read_status(store, RUN)
    assert stored is not None
    assert [step["name"] for step in stored.steps] == [
        "limits", "extract", "gate", "estimate", "train",
    ]  # fmt: skip
    assert store.limit.refused.total() == 0


def test_a_folder_has_every_step_at_once(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    create_status(store, status(State.ACCEPTED))
    with writer(store) as one:
        assert one.trace is not None
        with one.trace.step("limits"):
            seen = read_status(store, RUN)
    assert seen is not None
    assert (seen.state, seen.step) == (State.RUNNING, "limits")


@pytest.mark.parametrize("error", [TransientError("away"), ServiceError("refused")])
def test_progress_that_cannot_be_written_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise error

    store = FolderStore(tmp_path)
    create_status(store, status(State.ACCEPTED))
    monkeypatch.setattr(store, "write", fail)
    with structlog.testing.capture_logs() as logs:
        for task in (0, 1):
            work(store, task, 0.0)
    assert {line["log_level"] for line in logs} == {"info", "warning"}
    with writer(store) as one, pytest.raises(type(error)):
        one.announce(SimpleNamespace(model_dump=lambda mode: {"state": "SUCCEEDED"}))  # type: ignore[arg-type]


@pytest.mark.parametrize("task", [0, 1])
def test_the_end_of_the_run_is_seen(tmp_path: Path, task: int) -> None:
    store = FolderStore(tmp_path)
    create_status(store, status(State.CANCELLED))
    with writer(store, task) as one:
        one.beat()
        assert one.ended is State.CANCELLED
        with pytest.raises(CancelledError):
            one.announce(SimpleNamespace(model_dump=lambda mode: {}))  # type: ignore[arg-type]


def test_a_failure_of_another_task_is_noted_with_that_task(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    create_status(store, status(State.RUNNING))
    error = RunError(code=75, kind="TransientError", message="the disk is full")
    before = store.read(layout.status(RUN))
    said = note_failure(store, RUN, settings(3), error, steps=[])
    assert said.error == error
    assert store.read(layout.status(RUN)) == before
    path = layout.task(RUN, 3)
    assert TaskStatus.from_json(store.read(path).data, path=path).error == error


def test_the_task_that_makes_the_outputs_owns_the_run(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    create_status(store, status(State.RUNNING))
    step: Callable[[str], Any] = lambda name: SimpleNamespace(name=name, state="started")  # noqa: E731
    with writer(store, 2) as one:
        one.step(step("train"))
        first = read_status(store, RUN)
        one.step(step("outputs"))
        second = read_status(store, RUN)
    assert first is not None
    assert second is not None
    assert (first.step, second.step) == (None, "outputs")
