"""A job whose access is denied at any of its calls, for a while or for good."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from contract import retries
from contract.exceptions import DeniedError
from contract.run import State, read_status
from contract.stores.folder import FolderStore
from job import start as starts
from job.attempt import patience
from job.lifecycle import Ending
from tests.faults.job_model import RUN, Troubled, accept, check_done, small
from tests.faults.model import Topic

pytestmark = pytest.mark.no_cover  # exhaustive: measuring would double the time

__all__ = ["small"]


@pytest.fixture(autouse=True)
def cloud_run(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The only attempt of an execution on Cloud Run, which tries again at once."""
    monkeypatch.setattr(patience, "RETRY_SECONDS", 0.0)
    monkeypatch.setenv("MMM_BUCKET", "gs://bucket")
    monkeypatch.setenv("MMM_EVENTS_TOPIC", "topic")
    monkeypatch.setenv("CLOUD_RUN_EXECUTION", "a")


def play(
    root: Path, at: int, times: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[FolderStore, Topic, Ending, int]:
    """Run a job whose calls are denied `times` times from its call `at` on."""
    store, topic, denied = FolderStore(root), Topic(), itertools.count()
    accept(store)

    def trouble(number: int, after: bool) -> None:
        if number >= at and not after and next(denied) < times:
            raise DeniedError("no access yet")

    reached: Any = Troubled(store, trouble)
    monkeypatch.setattr(starts, "open_store", lambda url, **more: reached)
    monkeypatch.setattr(starts, "open_topic", lambda name: topic)
    ending = starts.start(
        config_uri=None, run_id=RUN, force=False, via="execution",
        log=structlog.wrap_logger(structlog.ReturnLogger()),
        view=SimpleNamespace(step=lambda step: None, progress=lambda record: None),
    )  # fmt: skip
    return store, topic, ending, next(reached.made)


def test_late_access_at_any_call_loses_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, calls = play(tmp_path / "calls", 0, 0, monkeypatch)
    assert calls > 40
    for at, times in zip(range(calls), itertools.cycle((1, 4)), strict=False):
        store, topic, ending, _ = play(tmp_path / f"{at}-{times}", at, times, monkeypatch)
        if ending.exit_code == 75:  # the event waits in the outbox
            continue
        assert (ending.exit_code, ending.state) == (0, State.SUCCEEDED), (at, times, ending)
        check_done(store, topic, (at, times))


def test_access_that_never_comes_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "GRANT", timedelta(seconds=0.2))
    monkeypatch.setattr("tests.faults.job_model.checkpoints.save", _denied)
    store, _, ending, _ = play(tmp_path, 0, 0, monkeypatch)
    assert (ending.exit_code, ending.state) == (69, State.FAILED)
    status = read_status(store, RUN)
    assert status is not None
    assert status.error is not None
    assert status.error.message == "no access"


def test_the_run_ends_although_the_time_is_up_between_two_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempt sees that there is time left, and its caller that there is none."""
    monkeypatch.setattr("tests.faults.job_model.checkpoints.save", _denied)
    left = iter([1.0, 0.0, 0.0, 0.0])
    monkeypatch.setattr(patience.Patience, "_left", lambda self, error: next(left))
    store, _, ending, _ = play(tmp_path, 0, 0, monkeypatch)
    assert (ending.exit_code, ending.state) == (69, State.FAILED)
    status = read_status(store, RUN)
    assert status is not None
    assert status.state is State.FAILED


def _denied(*_: object) -> bool:
    raise DeniedError("no access")
