"""The real job in a thread; only the warehouse, the checks of the data and R are left out.

`job.start`, lease, market, status, checkpoints, upload, manifest, promotion and event are the
production code, with the real client of Cloud Storage.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench.night.services import Warehouse
from contract.exceptions import CancelledError
from job import lifecycle, pipeline, start
from job.attempt import watch
from job.attempt.context import Attempt
from job.attempt.lease import LeaseHolder
from job.outputs import duplicate
from job.outputs import step as outputs
from job.outputs.manifest import Versions
from job.runtime.settings import Settings
from job.train import step as training
from tests.simulation.job import _check, _Snapshot, replacing

# A run looks every 2 s whether it must stop, and renews its lease every 20 s. One machine that
# stands for hundreds of them does both less often.
LOOK_SECONDS = 60.0
_own = threading.local()


class Night:
    """What the jobs share: the warehouse, how long a training lasts, and what was trained."""

    def __init__(self, bucket: str, topic: str, warehouse: Warehouse, seconds: float) -> None:
        self.bucket, self.topic = bucket, topic
        self.warehouse, self.seconds = warehouse, seconds
        self.trained: Counter[str] = Counter()
        self.at_once: Counter[str] = Counter()
        self.overlaps: list[str] = []
        self.problems: list[str] = []
        self.seconds_of_attempts: list[float] = []
        self._lock = threading.Lock()

    def work(self, env: Mapping[str, str]) -> int:
        """Make one attempt; return its exit code."""
        began = time.monotonic()
        _own.env, _own.night = env, self
        view = SimpleNamespace(step=lambda step: None, progress=lambda record: None)
        ending = start.start(
            config_uri=None, run_id=env["MMM_RUN_ID"], force=False, via="execution",
            log=_Log(self.problems), view=view,
        )  # type: ignore[arg-type]  # fmt: skip
        with self._lock:
            self.seconds_of_attempts.append(time.monotonic() - began)
        return ending.exit_code

    @contextmanager
    def training(self, market: str) -> Iterator[None]:
        """Count the trainings of a market, and those that overlap."""
        with self._lock:
            self.trained[market] += 1
            self.at_once[market] += 1
            if self.at_once[market] > 1:
                self.overlaps.append(market)
        try:
            yield
        finally:
            with self._lock:
                self.at_once[market] -= 1


class _Log:
    def __init__(self, problems: list[str]) -> None:
        self._problems = problems

    def info(self, *_: Any, **__: Any) -> None: ...

    debug = info

    def warning(self, text: str, **_: Any) -> None:
        self._problems.append(text)

    exception = error = warning


class _Settings:
    @staticmethod
    def read(**given: Any) -> Settings:
        env, night = _own.env, _own.night
        whole = ("attempt", "task_index", "task_count", "max_retries")
        own = {name: int(env[name]) for name in whole} | {"execution": env["execution"]}
        known = {name: value for name, value in given.items() if value is not None}
        own |= {"bucket": night.bucket, "topic": night.topic}
        return Settings.model_construct(**{**known, **own})


def _extract(config: Any, *, run_id: str, to: Path, local_annotations: bool) -> None:
    _own.night.warehouse.query()
    to.write_text(json.dumps({"market": config.market, "version": 1}))


def _run_r(
    workspace: Any, *, r_root: Any, rscript: Any, log: Any, on_progress: Any, stop: Any
) -> dict[str, Any]:
    """Take as long as R, report progress and write what R writes."""
    job, night = json.loads(workspace.job_json.read_text()), _own.night
    with night.training(job["market"]):
        until = time.monotonic() + night.seconds
        while (left := until - time.monotonic()) > 0:
            if reason := stop():
                raise CancelledError(reason)
            time.sleep(min(1.0, left))
        for trial in job.get("trials_todo") or range(1, job["trials"] + 1):
            file = workspace.trials / f"trial_{trial}.rds"
            file.write_text(f"trial {trial} of {job['run_id']}")
            on_progress({"type": "checkpoint", "trial": trial, "path": str(file)})
        (workspace.output / "metrics.json").write_text("{}")
        (workspace.output / "timings.json").write_text("{}")
    return {
        "engine": "builtin", "search": "fast", "best_model": "1_1_1",
        "trial_iterations": [1] * job["trials"],
    }  # fmt: skip


def _prepare(run: Attempt, snapshot: Any) -> dict[str, Any]:
    return {
        "run_id": run.run_id, "market": run.config.market, "trials": run.config.training.trials,
        "merge": True,
    }  # fmt: skip


def _write_outputs(run: Attempt, draft: Any, verdict: Any) -> None:
    with run.trace.step("outputs"):
        for name in ("report.html", "summary.html"):
            (run.workspace.output / name).write_text(run.run_id)


@contextmanager
def installed() -> Iterator[None]:
    """Leave out the parts that compute."""
    nothing: Any = lambda *args, **kwargs: None  # noqa: E731
    cost: Any = lambda *args, **kwargs: {}  # noqa: E731
    version = Versions(mmm_trainer="1", image=None, python="3", python_packages={})
    replaced: list[tuple[Any, str, Any]] = [
        (start, "Settings", _Settings),
        (watch, "REMOTE_SECONDS", LOOK_SECONDS),
        (start, "stop_on_signal", nullcontext),  # signals belong to the main thread
        (pipeline, "extract", _extract),
        (pipeline, "Snapshot", _Snapshot),
        (pipeline, "check", _check),
        (pipeline, "check_early", nothing),
        (pipeline, "check_rows", nothing),
        (pipeline, "check_source", nothing),
        (pipeline, "check_country", nothing),
        (pipeline, "check_engine", nothing),
        (pipeline, "give_verdict", nothing),
        (pipeline, "write_outputs", _write_outputs),
        (pipeline, "cost_of", cost),
        (lifecycle, "cost_of", cost),
        (duplicate, "own_version", lambda: "1"),
        (outputs, "cost_of", cost),
        (outputs, "versions", lambda **_: version),
        (training, "_prepare", _prepare),
        (training, "run_r", _run_r),
    ]
    every = LeaseHolder.keep.__kwdefaults__
    assert every is not None
    before = every["every"]
    every["every"] = LOOK_SECONDS
    try:
        with replacing(replaced):
            yield
    finally:
        every["every"] = before
