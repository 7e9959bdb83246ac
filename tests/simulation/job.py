"""One attempt of the real job; only the extract, the checks of the data and R are left out.

Everything else is the production code, from `job.start` to the event: lease, market, tasks,
checkpoints, upload, manifest, promotion, duplicates and history.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from google.api_core import exceptions as google_errors

from contract import fetch
from contract.exceptions import CancelledError, DataError
from contract.stored import Stored
from contract.stores.gcs import GCSStore
from contract.topics.pubsub import PubSubTopic
from job import lifecycle, pipeline, start
from job.attempt.context import Attempt
from job.cost.history import read_history
from job.gate.verdict import Outcome
from job.outputs import duplicate
from job.outputs import step as outputs
from job.outputs.manifest import Versions
from job.runtime.settings import Settings
from job.sources.bigquery import explain
from job.train import step as training
from tests.simulation import seam
from tests.simulation.loop import Process

STARTS_PYTHON = 1.0
TOPIC = "projects/p/topics/t"
PROGRESS_SECONDS = 6.0
TRIAL_SECONDS = (0.5, 40.0)


class Silent:
    """A log whose errors go to the trace."""

    def info(self, *_: Any, **__: Any) -> None: ...

    warning = debug = info

    def error(self, text: str, **_: Any) -> None:
        seam.loop().note("ERROR", text.replace("\n", " "))

    exception = error


def attempt(process: Process, world: Any) -> Callable[[], int]:
    """Return the work of an attempt: it returns the exit code."""

    def work() -> int:
        seam.loop().pause(STARTS_PYTHON)
        process.env["world"] = world
        view = SimpleNamespace(step=lambda step: None, progress=lambda record: None)
        log: Any = Silent()
        given = process.env
        ending = start.start(
            config_uri=given.get("MMM_CONFIG_URI") if "MMM_RUN_ID" not in given else None,
            run_id=given.get("MMM_RUN_ID"), force=False, via="execution", log=log, view=view,
        )  # fmt: skip
        return ending.exit_code

    return work


class _Settings:
    @staticmethod
    def read(**given: Any) -> Settings:
        names = ("execution", "task_index", "task_count", "attempt", "max_retries")
        env = seam.loop().process.env
        own = {name: env[name] for name in names} | {"bucket": "gs://sim", "topic": TOPIC}
        known = {name: value for name, value in given.items() if value is not None}
        return Settings.model_construct(**{**known, **own})


def _open_store(url: str, *, denied_seconds: float = 0.0) -> GCSStore:
    return seam.loop().process.env["world"].store(denied_seconds)


def _open_topic(name: str) -> PubSubTopic:
    return seam.loop().process.env["world"].topic()


class _Snapshot:
    rows, columns, source, sql, annotations = 100, ("DATE",), "sim", (), None
    first_date, last_date = "2024-01-01", "2025-12-01"

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.sha256 = self.fingerprint = f"data-{data['market']}-{data['version']}"

    @classmethod
    def load(cls, path: Path) -> _Snapshot:
        try:
            return cls(json.loads(path.read_text()))
        except ValueError as error:
            raise DataError(f"the extract cannot be read: {error}") from None


def _extract(config: Any, *, run_id: str, to: Path, local_annotations: bool) -> None:
    loop = seam.loop()
    loop.pause(loop.random.uniform(0.1, 3.0))
    world = loop.process.env["world"]
    if world.faults.denies("bigquery"):
        denied = google_errors.Forbidden("Permission bigquery.jobs.create denied")  # type: ignore[no-untyped-call]
        raise explain(denied, "table `p.d.t` in BigQuery") or denied
    version = world.data[config.market]
    to.write_text(json.dumps({"market": config.market, "version": version}))


def _check(snapshot: Any, config: Any, *, previous: Any) -> Any:
    return SimpleNamespace(
        status=Outcome.PASS, to_dict=lambda: {"profile": None}, summary=dict, problems=list,
        require=lambda: None,
    )  # fmt: skip


def _check_rows(run: Attempt, snapshot: Any) -> None:
    read_history(
        run.store, market=run.config.market, revision=run.config.revision, engine="builtin"
    )


def is_bad(run_id: str) -> bool:
    """Return whether a run's model is bad, so that its verdict is FAIL."""
    return run_id[-1] in "048c"


def _run_r(
    workspace: Any, *, r_root: Any, rscript: Any, log: Any, on_progress: Any, stop: Any
) -> dict[str, Any]:
    """Write what R writes: inputs, a file for each trial, and the results."""
    loop = seam.loop()
    job = json.loads(workspace.job_json.read_text())
    world = loop.process.env["world"]

    def lasts(seconds: float) -> None:
        until = loop.now + seconds
        shown = loop.now
        while loop.now < until:
            if reason := stop():
                raise CancelledError(reason)
            loop.pause(min(1.0, until - loop.now))
            if loop.now - shown > PROGRESS_SECONDS:
                shown = loop.now
                on_progress({"type": "progress", "trial": 1, "iteration": 1})

    with world.at_work(job["market"], job["run_id"]):
        inputs = workspace.work / training.INPUTS
        if not inputs.exists():
            lasts(loop.random.uniform(0.1, 2.0))
            inputs.write_text("inputs")
        on_progress({"type": "step", "step": "inputs", "state": "finished"})
        for trial in job.get("trials_todo") or range(1, job["trials"] + 1):
            file = workspace.trials / f"trial_{trial}.rds"
            if file.exists():
                continue
            lasts(loop.random.uniform(*TRIAL_SECONDS) * world.pace)
            if world.outage:
                lasts(world.begin_outage())
            file.write_text(f"trial {trial} of {job['run_id']}")
            on_progress({"type": "checkpoint", "trial": trial, "path": str(file)})
        if job.get("merge", True):
            lasts(loop.random.uniform(0.1, 2.0))
            trials = sorted(one.name for one in workspace.trials.glob("*.rds"))
            finding = {"level": "FAIL", "sentence": "the model is bad"}
            verdict = {"verdict": "FAIL", "findings": [finding]}
            (workspace.output / "metrics.json").write_text(
                json.dumps(
                    {
                        "trials": trials,
                        "by": loop.process.name,
                        **({"verdict": verdict} if is_bad(job["run_id"]) else {}),
                    }
                )
            )
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
        (run.workspace.output / "report.html").write_text(run.settings.owner)


def _remembered() -> Any:
    """Return `Stored.from_json` that reads equal bytes only once: most looks find nothing new."""
    real = vars(Stored)["from_json"].__func__

    @lru_cache(4096)
    def read(kind: Any, data: bytes, path: str, run_id: str | None) -> Any:
        return real(kind, data, path=path, run_id=run_id)

    def from_json(
        kind: Any, data: bytes, *, path: str = "the object", run_id: str | None = None
    ) -> Any:
        return read(kind, data, path, run_id)

    return classmethod(from_json)


@contextmanager
def installed() -> Iterator[None]:
    """Leave out the parts that compute; `seam.installed` comes before it."""
    nothing: Any = lambda *args, **kwargs: None  # noqa: E731
    cost: Any = lambda *args, **kwargs: {}  # noqa: E731
    version = Versions(mmm_trainer="1", image=None, python="3", python_packages={})
    replaced: list[tuple[Any, str, Any]] = [
        (start, "Settings", _Settings),
        (start, "open_store", _open_store),
        (start, "open_topic", _open_topic),
        (fetch, "open_store", _open_store),
        (pipeline, "extract", _extract),
        (pipeline, "Snapshot", _Snapshot),
        (pipeline, "check", _check),
        (pipeline, "check_early", nothing),
        (pipeline, "check_rows", _check_rows),
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
    replaced.append((Stored, "from_json", _remembered()))
    with replacing(replaced):
        yield


@contextmanager
def replacing(changes: Sequence[tuple[Any, str, Any]]) -> Iterator[None]:
    """Give names of modules or classes other values, and their own ones afterwards."""
    before = [(owner, name, vars(owner)[name]) for owner, name, _ in changes]
    for owner, name, value in changes:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)
