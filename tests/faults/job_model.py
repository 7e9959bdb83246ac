"""Attempts at one run, small enough to be searched exhaustively.

The code under test is the real one: lease, status, upload, manifest, promotion, event. Extract, gate
and R are left out. At every call of the store, an attempt can die, sleep or lose the answer. Leases
expire at once, so that any other execution may take over at any time.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from contract import layout
from contract.base import sha256_hex
from contract.config import Config
from contract.exceptions import TransientError
from contract.request import Origin, Request
from contract.run import State, now, read_status
from contract.stores import Store
from job import pipeline
from job.attempt import checkpoints, lease
from job.attempt.context import Attempt
from job.attempt.request import create_accepted
from job.lifecycle import Ending, work_on
from job.outputs.manifest import DataFacts, Manifest, Versions
from job.runtime.settings import Settings
from tests.faults.model import CONFIG, KilledError, Topic
from tests.runs import faulty_artifacts

RUN = "20261123T020000Z-1a2b3c4d"
CALLS = ("read", "write", "upload", "download", "stat", "list")
TRIALS = 2
Trouble = Callable[[int, bool], None]


class Troubled:
    """A store that counts its calls; it calls `trouble(number, after)` before and after each."""

    def __init__(self, inner: Store, trouble: Trouble) -> None:
        self._inner, self._trouble, self.made = inner, trouble, itertools.count()
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._inner, name)
        if name not in CALLS:
            return member

        def call(*args: Any, **kwargs: Any) -> Any:
            with self._lock:
                number = next(self.made)
            self._trouble(number, False)
            result = member(*args, **kwargs)
            result = list(result) if isinstance(result, Iterator) else result
            self._trouble(number, True)
            return result

        return call


def dying(at: int) -> Trouble:
    """Let the process die before its call `at`."""

    def trouble(number: int, after: bool) -> None:
        if number >= at and not after:
            raise KilledError

    return trouble


def losing(at: int) -> Trouble:
    """Lose the answer to call `at`, although the call took effect."""

    def trouble(number: int, after: bool) -> None:
        if number == at and after:
            raise TransientError("no answer")

    return trouble


def sleeping(at: int, asleep: threading.Event, wake: threading.Event) -> Trouble:
    """Stop the process before its call `at` until `wake` is set."""

    def trouble(number: int, after: bool) -> None:
        if number == at and not after:
            asleep.set()
            assert wake.wait(60)

    return trouble


def request() -> Request:
    config = Config.model_validate({**CONFIG, "training": {"trials": TRIALS}})
    return Request(
        run_id=RUN, market=config.market, revision=config.revision,
        config=config.model_dump(mode="json"), origins={}, config_hash=config.hash(),
        origin=Origin(via="command"), accepted_at=now(), nonce="n",
    )  # fmt: skip


def attempt(
    store: Store, topic: Topic, execution: str, *, number: int = 0, trouble: Trouble | None = None
) -> Ending | None:
    """Run one attempt of an execution; return None if it died."""
    settings = Settings.read(
        bucket="b", topic="t", execution=execution, attempt=number, max_retries=3
    )
    reached: Any = Troubled(store, trouble) if trouble else store
    try:
        return work_on(
            request(), settings, reached, topic, log=structlog.wrap_logger(structlog.ReturnLogger()),
            view=SimpleNamespace(step=lambda step: None, progress=lambda record: None),
        )  # fmt: skip
    except KilledError:
        return None
    except TransientError:  # the process ends with 75
        return Ending(run_id=RUN, state=State.RUNNING, exit_code=75)


def accept(store: Store) -> None:
    """Write the run as the trigger does."""
    store.write(layout.request(RUN), request().to_json(), if_generation=0)
    create_accepted(store, request())


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out everything except the protocol; let leases expire at once."""
    monkeypatch.setattr(lease, "LEASE_SECONDS", 0.0)
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 3600.0)
    verdict = SimpleNamespace(status=None, summary=dict)
    monkeypatch.setattr(pipeline, "_extract", lambda run: None)
    monkeypatch.setattr(pipeline, "check_early", lambda run: None)
    monkeypatch.setattr(pipeline, "check_rows", lambda run, snapshot: None)
    monkeypatch.setattr(pipeline, "_gate", lambda run, snapshot: verdict)
    monkeypatch.setattr(pipeline, "_duplicate", lambda run, snapshot: None)
    monkeypatch.setattr(pipeline, "_fingerprint", lambda run, snapshot: "f")
    monkeypatch.setattr(pipeline, "give_verdict", lambda run, snapshot: None)
    monkeypatch.setattr(pipeline, "write_outputs", lambda run, draft, verdict: None)
    monkeypatch.setattr(pipeline, "train", _train)
    monkeypatch.setattr(pipeline, "draft_manifest", _draft)


def _train(run: Attempt, snapshot: Any) -> dict[str, Any]:
    """Write trials that are stored once, and artifacts that name their owner."""
    for trial in range(1, TRIALS + 1):
        file = run.workspace.root / f"trial_{trial}.rds"
        if not checkpoints.restore(run.store, RUN, f"trials/{file.name}", file):
            file.write_text(f"trial {trial}")
            checkpoints.save(run.store, RUN, f"trials/{file.name}", file)
    for name in ("metrics.json", "report.html"):
        (run.workspace.output / name).write_text(json.dumps({"by": run.settings.owner}))
    return {}


def _draft(run: Attempt, snapshot: Any, result: Any, fingerprint: str) -> Manifest:
    return Manifest(
        run_id=RUN, market=run.config.market, revision=run.config.revision, state=State.SUCCEEDED,
        created_at=now(), engine="builtin", search="fast", best_model="1_1_1", seed=1,
        trials=TRIALS, iterations=1, cores=1, config_hash="c", fingerprint=fingerprint,
        data=DataFacts(
            rows=1, columns=[], first_date=None, last_date=None, sha256="", source="", sql=[]
        ),
        versions=Versions(mmm_trainer="1", image=None, python="3", python_packages={}),
        timings={}, steps=[], artifacts=[],
    )  # fmt: skip


def check_done(store: Store, topic: Topic, why: object) -> None:
    """Check that the run succeeded once, with all its artifacts from one attempt."""
    status = read_status(store, RUN)
    assert status is not None
    assert status.state is State.SUCCEEDED, (why, status.state, status.error)
    raw = store.read(layout.manifest("r1", "DE", RUN)).data
    manifest = Manifest.model_validate(json.loads(raw))
    prefix = layout.artifacts("r1", "DE", RUN)
    assert faulty_artifacts(store, manifest.artifacts, prefix=prefix) == [], why
    owners = {store.read(f"{prefix}{artifact.path}").data for artifact in manifest.artifacts}
    assert len(owners) == 1, (why, owners)
    assert json.loads(store.read(layout.current("r1", "DE")).data)["run_id"] == RUN, why
    kept = [info.path for info in store.list(layout.work(RUN, "trials/"))]
    assert kept == [layout.work(RUN, f"trials/trial_{k}.rds") for k in (1, 2)], why
    assert {event["id"] for event in topic.events} == {topic.events[0]["id"]}, why
    assert {event["data"]["manifest_sha256"] for event in topic.events} == {sha256_hex(raw)}, why


def folder_of(root: Path, *names: object) -> str:
    return str(root / "-".join(map(str, names)))
