"""A run's turn on its market, by whole processes: it leaves, waits where it is, or is refused."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract import layout
from contract.events import EventData
from contract.lease import Lease
from contract.market import DailyRuns, Market, Waiting
from contract.run import RunError, State, Status, create_status, read_status
from contract.stores.folder import FolderStore
from contract.terminal import end_run
from contract.topics.jsonl import FileTopic
from mmm.local.launcher import LocalLauncher
from trigger.reconcile import reconcile

ROOT = Path(__file__).resolve().parents[2]
HOLDER = "20261123T020000Z-00000000"
CONFIG = f"""
version: 1
market: DE
revision: r1
source: {{type: file, path: {ROOT}/examples/data/de_weekly.csv}}
date: {{column: DATE}}
target: {{column: REVENUE}}
channels: [{{name: tv, spend: NO_SUCH_COLUMN}}]
"""


class Place:
    """A bucket whose market DE is held by a run that lives until `free`."""

    def __init__(self, folder: Path) -> None:
        self.store = FolderStore(folder / "bucket")
        self.topic = FileTopic(folder / "events.jsonl")
        self.config = folder / "config.yaml"
        self.config.write_text(CONFIG)
        at = datetime.now(UTC)
        status = Status(
            run_id=HOLDER, state=State.RUNNING, market="DE", revision="r0",
            created_at=at, updated_at=at,
        )  # fmt: skip
        lease = Lease(owner="o", execution="e", task=0, attempt=0, nonce="n")
        create_status(self.store, status)
        self.store.write(layout.lease(HOLDER), lease.to_json())
        self.store.write(layout.market("DE"), Market(holder=HOLDER).to_json())

    def free(self) -> None:
        error = RunError(code=70, kind="ModelError", message="x")
        end_run(self.store, EventData(run_id=HOLDER, state=State.FAILED, error=error))

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "MMM_BUCKET": str(self.store.root),
            "MMM_EVENTS_TOPIC": str(self.topic.path),
        }

    def start(self, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "job", "--config", str(self.config)],
            env={**self.environment, **more},
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )

    def market(self) -> Market:
        return Market.from_json(self.store.read(layout.market("DE")).data)

    def status(self) -> Status | None:
        runs = [name for name in self.store.folders("runs/") if name != HOLDER]
        return read_status(self.store, runs[0]) if runs else None


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_an_execution_leaves_and_reconcile_launches_the_run_in_its_turn(place: Place) -> None:
    process = place.start(CLOUD_RUN_EXECUTION="by-hand-1")
    _, out = process.communicate(timeout=240)
    assert process.returncode == 0, out
    status = place.status()
    assert status is not None
    assert (status.state, status.waits_for) == (State.ACCEPTED, HOLDER)
    assert (status.execution, status.left) == (None, ["by-hand-1"])

    launcher = LocalLauncher([sys.executable, "-m", "job"], env=place.environment, max_retries=0)
    try:
        assert reconcile(place.store, place.topic, launcher).results["waiting"] == 1
        place.free()
        assert reconcile(place.store, place.topic, launcher).results["launched"] == 1
        [name] = launcher.executions
        launcher.wait(name, 240)
    finally:
        launcher.close()
    status = place.status()
    assert status is not None
    assert status.error is not None
    assert (status.state, status.error.code) == (State.FAILED, 65)
    assert "NO_SUCH_COLUMN" in status.error.message
    states = [message["attributes"]["state"] for message in place.topic.messages()]
    assert states.count("FAILED") == 2  # the holder's and the run's own


def test_all_tasks_of_an_execution_leave(place: Place) -> None:
    place.config.write_text(CONFIG + "training: {trials: 2, tasks: 2}\n")
    both = {"CLOUD_RUN_EXECUTION": "by-hand-1", "CLOUD_RUN_TASK_COUNT": "2"}
    tasks = [place.start(CLOUD_RUN_TASK_INDEX=str(index), **both) for index in (1, 0)]
    for process in tasks:
        _, out = process.communicate(timeout=240)
        assert process.returncode == 0, out
    status = place.status()
    assert status is not None
    assert (status.state, status.left) == (State.ACCEPTED, ["by-hand-1"])


def test_a_run_that_has_waited_too_long_is_given_up(place: Place) -> None:
    place.start(CLOUD_RUN_EXECUTION="by-hand-1").communicate(timeout=240)
    passed = reconcile(place.store, place.topic, LocalLauncher([], env={}), max_age=timedelta(0))
    assert passed.results["closed"] == 1
    status = place.status()
    assert status is not None
    assert status.error is not None
    assert (status.state, status.error.kind) == (State.FAILED, "LimitError")
    assert HOLDER in status.error.message


def test_a_command_waits_where_it_is(place: Place) -> None:
    process = place.start()
    deadline = time.monotonic() + 240
    while not place.market().waiting and time.monotonic() < deadline:
        time.sleep(0.1)
    status = place.status()
    assert status is not None
    assert status.state is State.RUNNING
    place.free()
    _, out = process.communicate(timeout=240)
    assert process.returncode == 65, out
    assert f"waiting for run {HOLDER} on market DE" in out


def test_a_deployment_has_a_cap(place: Place) -> None:
    place.free()
    full = DailyRuns(day=datetime.now(UTC).date(), runs=["a", "b"])
    place.store.write(layout.today(), full.to_json())
    process = place.start(CLOUD_RUN_EXECUTION="by-hand-1", MMM_MAX_RUNS_A_DAY="2")
    _, out = process.communicate(timeout=240)
    assert process.returncode == 64
    assert "this deployment has had 2 runs" in out
    assert "MMM_MAX_RUNS_A_DAY" in out


def test_a_line_has_an_end(place: Place) -> None:
    waiting = [
        Waiting(accepted_at=datetime.now(UTC), run_id=f"20261123T02000{number}Z-00000000")
        for number in (1, 2)
    ]
    for one in waiting:
        at = datetime.now(UTC)
        create_status(
            place.store,
            Status(
                run_id=one.run_id, state=State.ACCEPTED, market="DE", revision="r1",
                created_at=at, updated_at=at, waits_for=HOLDER,
            ),
        )  # fmt: skip
    line = Market(holder=HOLDER, waiting=waiting)
    place.store.write(layout.market("DE"), line.to_json())
    process = place.start(CLOUD_RUN_EXECUTION="by-hand-1", MMM_MAX_WAITING="2")
    _, out = process.communicate(timeout=240)
    assert process.returncode == 64
    assert "2 runs already wait for market `DE`; allowed: 2 (`MMM_MAX_WAITING`)" in out
    assert place.market() == line
    [told] = place.topic.messages()
    assert told["attributes"]["state"] == "FAILED"
