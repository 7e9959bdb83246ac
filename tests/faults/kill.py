"""`python -m tests.faults.kill --runs N --seed S`: kill -9 of any process of a run in training.

Each seed starts the real job (folder bucket, builtin engine, one task or two). It kills one of its
processes at a random moment: the job, R, a trial, a guard, or the task that merges. It retries tasks
as Cloud Run would, in some seeds with another kill. Then it compares `metrics.json` and all tables
with those of an undisturbed run. No process of a killed job may stay for long.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Set
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

from contract import layout
from contract.run import State, read_status
from contract.topics.jsonl import FileTopic
from job.attempt.tasks import MERGE
from tests.runs import ROOT, WEEKLY, Place, Result, result_of, wait_until

PATIENCE = 300.0
ORPHANS_LIVE = 5.0  # seconds that R may outlive its job
RETRIES = 5

CONFIG = f"""{WEEKLY}
training: {{trials: 4, iterations: 1000, min_candidates: 20, engine: builtin, prophet: [], cores: 2,
  tasks: 2, min_r2: -1}}
posterior: {{sweeps: 60}}
outputs: {{onepagers: 0}}
"""


class Execution:
    """One execution of the job: tasks as processes, started and retried as Cloud Run does."""

    def __init__(self, folder: Path, name: str, tasks: int, config: str = CONFIG) -> None:
        self.place = Place(folder, config)
        self.store = self.place.store
        self.topic = FileTopic(folder / f"{name}.jsonl")
        self.tmp = folder / name
        self.tmp.mkdir()
        self.name, self.tasks = name, tasks
        self.attempts = [0] * tasks
        self.running = {task: self._start(task) for task in range(tasks)}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Kill the processes of an execution that did not finish."""
        for process in self.processes():
            with suppress(psutil.Error):
                process.kill()
        for job in self.running.values():
            job.wait()

    def _start(self, task: int) -> subprocess.Popen[bytes]:
        environment = self.place.environment(
            self.name, self.attempts[task],
            MMM_EVENTS_TOPIC=str(self.topic.path), MMM_MAX_RETRIES=str(RETRIES),
            CLOUD_RUN_TASK_INDEX=str(task), CLOUD_RUN_TASK_COUNT=str(self.tasks),
            TMPDIR=str(self.tmp),
        )  # fmt: skip
        command = [sys.executable, "-m", "job", "--force", "--config", str(self.place.config)]
        with self.log(task).open("ab") as log:
            return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)

    def log(self, task: int) -> Path:
        """Return the log of all attempts of a task."""
        return self.tmp / f"task-{task}.log"

    def processes(self) -> list[psutil.Process]:
        """Return the live processes: the jobs and all processes that work in their folders."""
        jobs = {process.pid for process in self.running.values() if process.poll() is None}
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                mine = process.pid in jobs or process.cwd().startswith(str(self.tmp))
                if mine and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def finish(
        self, on_retry: Callable[[], None] = lambda: None, *, but: Set[int] = frozenset()
    ) -> None:
        """Wait for every task except `but`; retry failed tasks as Cloud Run would."""
        deadline = time.monotonic() + PATIENCE
        while not but >= self.running.keys() and time.monotonic() < deadline:
            time.sleep(0.05)
            for task, process in list(self.running.items()):
                code = process.poll()
                if code is None:
                    continue
                del self.running[task]
                if code != 0 and self.attempts[task] < RETRIES:
                    self.attempts[task] += 1
                    self.running[task] = self._start(task)
                    on_retry()
                assert code in (0, -9, 75), f"{self.name}: task {task} ended with {code}"
        assert but >= self.running.keys(), f"{self.name} did not end within {PATIENCE:.0f} s"

    def ended(self) -> bool:
        """Return whether no task is at work; a failed task may still be retried."""
        return all(process.poll() is not None for process in self.running.values())

    def can_retry(self) -> bool:
        """Return whether every task that is at work would be tried again if it failed."""
        return all(self.attempts[task] < RETRIES for task in self.running)

    def merging_task(self) -> int | None:
        """Return the task that won the merge, None if none has yet."""
        run_id = self._run_id()
        path = layout.work(run_id, MERGE) if run_id else None
        if path is None or self.store.stat(path) is None:
            return None
        return int(json.loads(self.store.read(path).data)["task"])

    @property
    def run_id(self) -> str:
        """Return the run of this execution."""
        found = self._run_id()
        assert found, f"{self.name} has no run"
        return found

    def _run_id(self) -> str | None:
        for run_id in self.place.run_ids():
            status = read_status(self.store, run_id)
            if status is not None and status.execution == self.name:
                return run_id
        return None

    def started_training(self) -> bool:
        """Return whether R is running."""
        return any(process.name() == "R" for process in self.processes())

    def result(self) -> Result:
        """Check that the run succeeded with one event, and return its results."""
        status = read_status(self.store, self.run_id)
        assert status is not None
        assert status.state is State.SUCCEEDED, f"{self.name} is {status.state}: {status.error}"
        assert len(list(self.topic.messages())) == 1, "more than one event"
        return result_of(self.store, self.run_id)


def undisturbed(folder: Path, config: str = CONFIG) -> tuple[Result, float]:
    """Return the results of an undisturbed run, and the seconds of its training."""
    with Execution(folder, "undisturbed", tasks=1, config=config) as execution:
        wait_until(execution.started_training, PATIENCE)
        began = time.monotonic()
        execution.finish()
        return execution.result(), time.monotonic() - began


def one(seed: int, folder: Path, whole: Result, seconds: float, *, tasks: int | None = None) -> str:
    """Play one seed; return what was killed, or raise AssertionError if the results differ."""
    rng = random.Random(seed)
    tasks = rng.choice((1, 2)) if tasks is None else tasks
    with Execution(folder, f"seed-{seed}", tasks) as execution:
        killed = _play(execution, rng, seconds)
        assert execution.result() == whole, f"seed {seed}: different results after {killed}"
        wait_until(lambda: not execution.processes(), ORPHANS_LIVE)
    return f"{tasks} task{'s' if tasks > 1 else ''}, attempts {execution.attempts}, {killed}"


def _play(execution: Execution, rng: random.Random, seconds: float) -> list[str]:
    """Kill at random until the execution has ended; return what was killed."""
    killed: list[str] = []

    def kill() -> None:
        wait_until(lambda: execution.started_training() or execution.ended(), PATIENCE)
        time.sleep(rng.random() * seconds)
        if not execution.can_retry():
            return
        victims = sorted(execution.processes(), key=lambda process: process.pid)
        if victims:
            victim = rng.choice(victims)
            with suppress(psutil.Error):
                killed.append(" ".join(victim.cmdline())[:40])
                victim.kill()
                _no_orphans(execution)

    def kill_the_merging_task() -> None:
        wait_until(lambda: execution.merging_task() is not None or execution.ended(), PATIENCE)
        task = execution.merging_task()
        time.sleep(rng.random() * seconds / 2)
        if task in execution.running and execution.can_retry():
            killed.append(f"task {task}, which merges")
            execution.running[task].kill()

    kill_the_merging_task() if execution.tasks > 1 and rng.random() < 0.5 else kill()
    execution.finish(kill if rng.random() < 0.3 else lambda: None)
    return killed


def _no_orphans(execution: Execution) -> None:
    """Check that the R of a killed job ends soon."""
    time.sleep(0.1)
    if any(process.poll() is None for process in execution.running.values()):
        return
    wait_until(lambda: not execution.processes(), ORPHANS_LIVE)


def main() -> None:
    """Play seeds from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kill", description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--tasks", type=int, choices=(1, 2), help="tasks of each run; random if not given"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mmm-kill-") as folder:
        whole, seconds = undisturbed(Path(folder))
        print(f"undisturbed run: {seconds:.1f} s of training", flush=True)
        for seed in range(given.seed, given.seed + given.runs):
            print(seed, one(seed, Path(folder), whole, seconds, tasks=given.tasks), flush=True)


if __name__ == "__main__":
    main()
