"""A bucket with one finished run of each of two markets, and every kind of object."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from contract import layout, runid
from contract.config import Config
from contract.market import count_run
from contract.rejection import Rejection
from contract.request import Origin, Request
from contract.run import RunError, State, now, read_status
from contract.stores.folder import FolderStore
from job import pipeline
from job.attempt import lease
from job.attempt.context import Attempt
from job.attempt.request import create_accepted
from job.lifecycle import Ending, work_on
from job.outputs.manifest import DataFacts, Manifest, Versions
from job.runtime.settings import Settings
from mmm.pauses import pause
from tests.faults.model import CONFIG, Service, Topic
from trigger.reconcile import PassReport, reconcile

MARKETS = ("DE", "FR")


@dataclass
class Scene:
    """A bucket, a topic and Cloud Run; runs are named by their markets and numbers."""

    store: FolderStore
    topic: Topic = field(default_factory=Topic)
    service: Service = field(default_factory=Service)

    def id_of(self, market: str, number: int) -> str:
        at = now() - timedelta(hours=10 - number)
        known = [
            name for name in self.store.folders(layout.RUNS) if name.endswith(_tail(market, number))
        ]
        return known[0] if known else f"{at:%Y%m%dT%H%M%SZ}-{_tail(market, number)}"

    def accept(self, market: str, number: int) -> Request:
        config = Config.model_validate(
            {**CONFIG, "market": market, "limits": {"max_runs_a_day": 50}}
        )
        run_id = self.id_of(market, number)
        request = Request(
            run_id=run_id, market=market, revision="r1", config=config.model_dump(mode="json"),
            origins={}, config_hash=config.hash(), origin=Origin(via="pubsub"),
            accepted_at=now(), nonce=run_id,
        )  # fmt: skip
        self.store.write(layout.request(run_id), request.to_json(), if_generation=0)
        create_accepted(self.store, request)
        return request

    def work(self, request: Request) -> Ending:
        settings = Settings.read(
            bucket="b", topic="t", execution=f"e-{request.run_id}", max_retries=3
        )
        return work_on(
            request, settings.model_copy(update={"max_runs_a_day": 50}), self.store, self.topic,
            log=structlog.wrap_logger(structlog.ReturnLogger()),
            view=SimpleNamespace(step=lambda step: None, progress=lambda record: None),
        )  # fmt: skip

    def state(self, market: str, number: int) -> State | None:
        status = read_status(self.store, self.id_of(market, number))
        return status.state if status else None

    def current(self, market: str) -> str:
        return str(json.loads(self.store.read(layout.current("r1", market)).data)["run_id"])

    def settle(self) -> PassReport:
        return reconcile(self.store, self.topic, self.service)


def _tail(market: str, number: int) -> str:
    return f"{MARKETS.index(market)}{number:07d}"


@pytest.fixture
def protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out data and R; train nothing; keep the whole protocol."""
    _keep_only_the_protocol(monkeypatch)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bucket with a finished run of each market."""
    made = Scene(store=FolderStore(tmp_path_factory.mktemp("finished") / "bucket"))
    with pytest.MonkeyPatch.context() as monkeypatch:  # other tests of the session need the rest
        _keep_only_the_protocol(monkeypatch)
        _fill(made)
    return made.store.root


@pytest.fixture
def scene(protocol: None, finished: Path, tmp_path: Path) -> Scene:
    """A copy of the bucket."""
    shutil.copytree(finished, tmp_path / "bucket")
    return Scene(store=FolderStore(tmp_path / "bucket"))


def _keep_only_the_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 3600.0)
    verdict = SimpleNamespace(status=None, summary=dict)
    nothing: dict[str, Callable[..., Any]] = {
        "_extract": lambda run: None,
        "check_early": lambda run: None,
        "check_rows": lambda run, snapshot: None,
        "_gate": lambda run, snapshot: verdict,
        "_duplicate": lambda run, snapshot: None,
        "_fingerprint": lambda run, snapshot: f"f{run.config.market}",
        "give_verdict": lambda run, snapshot: None,
        "write_outputs": lambda run, draft, verdict: None,
        "train": _train,
        "draft_manifest": _draft,
    }
    for name, stand_in in nothing.items():
        monkeypatch.setattr(pipeline, name, stand_in)


def _fill(made: Scene) -> None:
    for market in MARKETS:
        made.work(made.accept(market, 1))
        run_id = made.id_of(market, 1)
        made.store.write(layout.work(run_id, "estimate.json"), b'{"seconds": 1}')
        made.store.write(layout.work(run_id, "merge.json"), b'{"task": 0}')
        runid.for_key(made.store, f"key of {market}", now())
        rejection = Rejection(
            run_id=run_id, rejected_at=now(), attributes={}, size=1,
            error=RunError(code=64, kind="ConfigError", message="no"),
            body_base64=base64.b64encode(b"x").decode(),
        )  # fmt: skip
        made.store.write(layout.rejected(market), rejection.to_json())
    pause(made.store, "OLD", by="jo@desk", reason="no data")
    count_run(made.store, made.id_of("DE", 1), 50)
    made.settle()


def _train(run: Attempt, snapshot: Any) -> dict[str, Any]:
    output = run.workspace.output
    (output / "metrics.json").write_text("{}")
    (output / "report.html").write_text("")
    profile = {"frequency": "week", "quarters": {"TV": {"2025Q1": 1.0}}, "levels": {}}
    (output / "data_quality.json").write_text(json.dumps({"profile": profile}))
    return {}


def _draft(run: Attempt, snapshot: Any, result: Any, fingerprint: str) -> Manifest:
    parts = dict.fromkeys(("inputs", "trials", "outputs", "rest"), 1.0)
    work = {
        "engine": "builtin", "search": "fast", "rows": 100, "media": 2, "drivers": 1,
        "weibull": False, "trials": 1, "iterations": 100, "cores": 1, "tasks": 1, "onepagers": 1,
        "scenarios": 1,
    }  # fmt: skip
    return Manifest(
        run_id=run.run_id, market=run.config.market, revision=run.config.revision,
        state=State.SUCCEEDED, created_at=now(), engine="builtin", search="fast",
        best_model="1_1_1", seed=1, trials=1, iterations=1, cores=1, config_hash="c",
        fingerprint=fingerprint,
        data=DataFacts(
            rows=1, columns=[], first_date=None, last_date=None, sha256="", source="", sql=[]
        ),
        versions=Versions(mmm_trainer="1", image=None, python="3", python_packages={}),
        timings={}, steps=[], artifacts=[],
        cost={"actual": {"parts": parts}, "estimate": {"work": work}},
    )  # fmt: skip


def age(store: FolderStore, path: str) -> None:
    """Let an object be an hour old."""
    then = now().timestamp() - 3600
    os.utime(store.root / path, (then, then))
