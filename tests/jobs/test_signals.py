"""Signals to real processes: what they leave behind is a state, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from contract import layout
from contract.run import State, Status, read_status
from contract.stores.folder import FolderStore
from contract.topics.jsonl import FileTopic
from mmm.local.tasks import processes_of
from tests.fakes.terminal import Terminal
from tests.faults.scene import CONFIG, ROOT, make_training
from tests.runs import wait_until

GRACE_SECONDS = 10  # what Cloud Run leaves between SIGTERM and SIGKILL
DEAF_R = """#!/bin/sh
trap '' TERM
(trap '' TERM; sleep 600) &
sleep 600
"""


class Job:
    """A job process on a folder, with a temporary folder of its own."""

    def __init__(self, folder: Path, rscript: str, config: dict[str, object]) -> None:
        self.store = FolderStore(folder / "bucket")
        self.scratch = folder / "tmp"
        self.scratch.mkdir()
        self.execution = f"signals-{os.getpid()}-{folder.name}"
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "job", "--config", str(folder / "config.yaml")],
            env={
                **os.environ, "MMM_BUCKET": str(self.store.root), "MMM_RSCRIPT": rscript,
                "MMM_EVENTS_TOPIC": str(folder / "events.jsonl"), "TMPDIR": str(self.scratch),
                "CLOUD_RUN_EXECUTION": self.execution, "CLOUD_RUN_TASK_ATTEMPT": "0",
                "MMM_MAX_RETRIES": "1",
            },
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            process_group=0,  # SIGTSTP does nothing in a group without a parent in its session
        )  # fmt: skip

    def processes(self) -> list[psutil.Process]:
        """The job and everything that it started, wherever that hangs now."""
        return [
            process
            for process in psutil.process_iter(["environ", "status"])
            if (process.info["environ"] or {}).get("CLOUD_RUN_EXECUTION") == self.execution
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ]

    def status(self) -> Status | None:
        for run_id in self.store.folders(layout.RUNS):
            return read_status(self.store, run_id)
        return None

    def wait_until(self, holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + 120
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def stop(self, number: int) -> int:
        """Send a signal, and SIGKILL after the grace time, as Cloud Run does; the exit code."""
        self.process.send_signal(number)
        try:
            return self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Job]]:
    jobs: list[Job] = []

    def make(rscript: str, config: dict[str, object] = CONFIG) -> Job:
        jobs.append(Job(tmp_path, rscript, config))
        return jobs[-1]

    yield make
    for job in jobs:
        for process in job.processes():
            process.kill()
        job.process.wait()


def test_sigterm_ends_the_job_and_an_r_that_does_not_listen(
    start: Callable[..., Job], tmp_path: Path
) -> None:
    script = tmp_path / "Rscript"
    script.write_text(DEAF_R)
    script.chmod(0o755)
    job = start(str(script))
    job.wait_until(lambda: len(job.processes()) >= 4)
    assert job.stop(signal.SIGTERM) == 143
    assert job.processes() == []
    assert list(job.scratch.iterdir()) == []
    status = job.status()
    assert status is not None
    assert status.state is State.RUNNING  # another attempt follows
    assert status.error is not None
    assert (status.error.code, status.error.message) == (143, "stopped by SIGTERM")


@pytest.mark.parametrize("command", ["run", "serve"])
def test_a_closed_terminal_ends_a_run_like_a_cancel(tmp_path: Path, command: str) -> None:
    script = tmp_path / "Rscript"
    script.write_text(DEAF_R)
    script.chmod(0o755)
    scratch, topic = tmp_path / "tmp", FileTopic(tmp_path / "events.jsonl")
    scratch.mkdir()
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(CONFIG))
    requests = FileTopic(tmp_path / "requests.jsonl")
    requests.publish(json.dumps({"config": CONFIG}).encode(), {})
    store = FolderStore(tmp_path / "bucket")
    terminal = Terminal(
        [sys.executable, "-m", "mmm", command,
         *([str(config)] if command == "run" else ["--requests", str(requests.path)]),
         "--bucket", str(store.root), "--topic", str(topic.path)],
        cwd=ROOT,
        env={**os.environ, "MMM_RSCRIPT": str(script), "TMPDIR": str(scratch)},
    )  # fmt: skip

    def at_work() -> bool:
        return any(
            (status := read_status(store, run_id)) is not None and status.step == "train"
            for run_id in store.folders(layout.RUNS)
        )

    try:
        wait_until(at_work)
        terminal.close()
        code = terminal.process.wait(30)
    finally:
        terminal.process.kill()
    [run_id] = store.folders(layout.RUNS)
    status = read_status(store, run_id)
    assert status is not None
    assert status.state is State.CANCELLED
    assert code == 128 + signal.SIGHUP
    assert [line["attributes"]["state"] for line in topic.messages()] == ["CANCELLED"]
    assert list(scratch.iterdir()) == []
    assert processes_of({"MMM_RSCRIPT": str(script)}) == []


def test_a_pause_is_survived(start: Callable[..., Job], tmp_path: Path) -> None:
    job = start(str(make_training(tmp_path / "r")))
    job.wait_until(lambda: (status := job.status()) is not None and status.step)
    job.process.send_signal(signal.SIGTSTP)
    job.wait_until(lambda: psutil.Process(job.process.pid).status() == psutil.STATUS_STOPPED)
    time.sleep(1)
    job.process.send_signal(signal.SIGCONT)
    assert job.process.wait(120) == 0
    status = job.status()
    assert status is not None
    assert status.state is State.SUCCEEDED
    assert list(job.scratch.iterdir()) == []


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_r_does_not_outlive_a_killed_job(start: Callable[..., Job]) -> None:
    training = {"trials": 2, "iterations": 100_000, "engine": "builtin", "prophet": ["trend"]}
    job = start("Rscript", {**CONFIG, "training": training})
    job.wait_until(lambda: (status := job.status()) is not None and status.progress)
    assert len(job.processes()) > 2
    job.process.kill()
    job.process.wait()
    job.wait_until(lambda: job.processes() == [])
