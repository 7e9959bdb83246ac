"""`python -m tests.faults.chaos --runs N --seed S`: seeded faults over the real clients.

Each seed delivers one message several times, some of them at once, while calls to Cloud Storage and
Cloud Run are refused, delayed, or take effect without an answer, and the job's processes are killed.
Then `reconcile` runs until the run is closed, and the invariants are checked.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from contract.exceptions import MMMError
from contract.run import State, read_status
from contract.stores import open_store
from contract.topics.jsonl import FileTopic
from tests.fakes import cloud_run, gcs
from tests.fakes.cloud_run import FakeCloudRun, Job
from tests.fakes.gcs import FakeGCS
from tests.fakes.proxy import Call, Fault, Kind, Proxy
from tests.faults.model import message
from trigger import launch
from trigger.accept import accept
from trigger.cloud_run import CloudRunLauncher
from trigger.reconcile import reconcile
from trigger.tasks import processes_of

ROOT = Path(__file__).resolve().parents[2]
NAME = "projects/p/locations/l/jobs/mmm-trainer"
CLAIM = launch.CLAIM
KINDS = (Kind.STATUS, Kind.CUT_BEFORE, Kind.CUT_AFTER, Kind.DELAY)


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The stand-ins that all seeds share."""

    storage: FakeGCS
    service: FakeCloudRun
    folder: Path


@contextmanager
def ground() -> Iterator[Ground]:
    """Start the stand-ins."""
    with (
        tempfile.TemporaryDirectory(prefix="mmm-chaos-") as folder,
        gcs.running() as storage,
        cloud_run.running() as service,
    ):
        yield Ground(storage=storage, service=service, folder=Path(folder))


class Breaker:
    """Breaks calls by chance until its faults are used up; remembers what it did."""

    def __init__(self, chance: random.Random, faults: int) -> None:
        self._chance, self._left = chance, faults
        self.done: list[str] = []

    def __call__(self, call: Call) -> Fault | None:
        if self._left == 0 or self._chance.random() > 0.25:
            return None
        self._left -= 1
        kind = self._chance.choice(KINDS)
        fault = Fault(kind=kind, status=self._chance.choice((429, 500, 503)), seconds=0.3)
        self.done.append(f"{kind} {fault.status} {call.method} {call.path[:60]}")
        return fault


def one(seed: int, on: Ground) -> list[str]:
    """Play one seed; returns the faults that were injected. AssertionError: an invariant broke."""
    chance = random.Random(seed)
    bucket = f"chaos-{seed}"
    on.storage.create_bucket(bucket)
    topic = FileTopic(on.folder / f"{seed}.jsonl")
    trainings = on.folder / f"{seed}.trainings"
    breaker = Breaker(chance, chance.randint(1, 4))
    with Proxy(on.storage.url, breaker).running() as storage, \
            Proxy(on.service.url, breaker).running() as service:  # fmt: skip
        os.environ["STORAGE_EMULATOR_HOST"] = storage.url
        on.service.deploy(
            Job(
                name="mmm-trainer",
                command=[sys.executable, "-m", "tests.faults.worker"],
                env={
                    "MMM_BUCKET": f"gs://{bucket}", "MMM_EVENTS_TOPIC": str(topic.path),
                    "MMM_PROJECT": "p", "STORAGE_EMULATOR_HOST": storage.url,
                    "PYTHONPATH": str(ROOT), "TRAININGS": str(trainings),
                },
                max_retries=1,
                grace=0.2,
                log_dir=on.folder / "logs",
            )
        )  # fmt: skip
        store, delivered = open_store(f"gs://{bucket}"), message()
        launcher = CloudRunLauncher.connect(NAME, endpoint=service.url)

        def deliver(_: int) -> None:
            with suppress(MMMError):
                accept(delivered, store=store, publisher=topic, launcher=launcher)

        before = set(on.service.executions)
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(deliver, range(chance.randint(1, 3))))
        if chance.random() < 0.4:
            time.sleep(chance.random() * 1.5)
            for name in set(on.service.executions) - before:
                for pid in processes_of({"CLOUD_RUN_EXECUTION": name.rpartition("/")[2]}):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                        breaker.done.append("kill -9 of the job")
        launch.CLAIM = timedelta(seconds=0.5)
        deadline = time.monotonic() + 60
        closed = False
        while not closed and time.monotonic() < deadline:
            deliver(0)
            with suppress(MMMError):
                passed = reconcile(store, topic, launcher, silence=timedelta(seconds=4))
                closed = passed.fates["closed"] == 1
            time.sleep(0.2)
        for name in set(on.service.executions) - before:
            on.service.executions[name].done.wait(30)
        os.environ["STORAGE_EMULATOR_HOST"] = on.storage.url
        check(f"gs://{bucket}", topic, trainings, closed)
    return breaker.done


def check(bucket: str, topic: FileTopic, trainings: Path, closed: bool) -> None:
    """One terminal state, one event of that state, at most one training, one if it succeeded."""
    store = open_store(bucket)
    assert closed, "the run was not closed in 60 s"
    [run_id] = store.folders("runs/")
    status = read_status(store, run_id)
    assert status is not None
    assert status.state in (State.SUCCEEDED, State.FAILED), status.state
    told = {(m["attributes"]["ce-id"], m["attributes"]["state"]) for m in topic.messages()}
    assert {state for _, state in told} == {status.state.value}, told
    assert len(told) == 1, told
    done = trainings.read_text().splitlines() if trainings.exists() else []
    # A killed attempt may have stored its result without having noted it here.
    assert len(done) <= 1, done
    if status.state is State.FAILED:
        assert done == [], done


def main() -> int:
    """Play a campaign; the last line sums up and the exit code is the verdict."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    os.environ["MMM_PROJECT"] = "p"
    faults, broken = 0, []
    with ground() as on:
        for seed in range(given.seed, given.seed + given.runs):
            try:
                done = one(seed, on)
            except AssertionError as error:
                broken.append(seed)
                print(f"seed {seed}: BROKEN {error}")
                continue
            faults += len(done)
            print(f"seed {seed}: ok  {json.dumps(done)}")
    print(f"{given.runs} runs, {faults} faults, {len(broken)} broken {broken or ''}".strip())
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
