"""Whole runs of the real job on a folder, a JSONL file and real R, as tests and tools share them."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from contract import layout
from contract.run import State, read_status
from contract.stores import Store
from contract.stores.folder import FolderStore
from contract.topics.jsonl import FileTopic
from contract.training import Engine
from job.outputs.upload import Artifact
from job.train.engine import engine_here

ROOT = Path(__file__).resolve().parents[1]
WEEKLY = f"""
version: 1
market: DE
revision: r1
source: {{type: file, path: {ROOT}/examples/data/de_weekly.csv}}
date: {{column: DATE, start: 2022-01-03, frequency: week}}
target: {{column: REVENUE, kind: revenue}}
channels:
  - {{name: tv, spend: TV_COST, exposure: TV_GRP}}
  - {{name: search, spend: SEARCH_COST, exposure: SEARCH_CLICKS}}
context: [COMPETITOR_SALES]
"""
needs_r = pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")


@cache
def has_robyn() -> bool:
    """Whether the R of this machine finds the package Robyn."""
    return engine_here(Engine.AUTO, rscript="Rscript", r_root=ROOT / "r") == Engine.ROBYN.value


def faulty_artifacts(store: Store, artifacts: Iterable[Artifact], *, prefix: str) -> list[str]:
    """What is wrong with a finished run's files in the store, one sentence each."""
    stored = {info.path.removeprefix(prefix): info for info in store.list(prefix)}
    faults = []
    for artifact in artifacts:
        info = stored.get(artifact.path)
        if info is None:
            faults.append(f"`{artifact.path}` is missing")
        elif (info.size, info.crc32c) != (artifact.bytes, artifact.crc32c):
            faults.append(f"`{artifact.path}` has other bytes than the manifest says")
    return faults


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run left: `metrics.json` and the tables, free of the run's name."""

    metrics: dict[str, Any]
    tables: dict[str, dict[str, list[Any]]]


def result_of(store: Store, run_id: str) -> Result:
    """What a finished run left in its folder bucket."""
    assert isinstance(store, FolderStore)
    folder = store.root / layout.artifacts("r1", "DE", run_id)
    tables = {}
    for path in sorted(folder.glob("tables/*.parquet")):
        tables[path.stem] = pq.read_table(path).drop_columns(["run_id"]).to_pydict()
    assert tables
    return Result(metrics=json.loads((folder / "metrics.json").read_text()), tables=tables)


class Place:
    """A bucket, a topic and a config in a temporary folder."""

    def __init__(self, folder: Path, config: str) -> None:
        self.store = FolderStore(folder / "bucket")
        self.topic = FileTopic(folder / "events.jsonl")
        self.config = folder / "config.yaml"
        self.config.write_text(config)

    def environment(self, execution: str, attempt: int, **more: str) -> dict[str, str]:
        return {
            **os.environ,
            "MMM_BUCKET": str(self.store.root),
            "MMM_EVENTS_TOPIC": str(self.topic.path),
            "CLOUD_RUN_EXECUTION": execution,
            "CLOUD_RUN_TASK_ATTEMPT": str(attempt),
            **more,
        }

    def start(
        self, execution: str, *, attempt: int = 0, force: bool = False, **more: str
    ) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "job", "--config", str(self.config)]
        return subprocess.Popen(
            [*command, *(["--force"] if force else [])],
            env=self.environment(execution, attempt, **more),
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, execution: str, **options: Any) -> tuple[int, list[dict[str, Any]]]:
        process = self.start(execution, **options)
        _, said = process.communicate(timeout=240)
        return process.returncode, [json.loads(line) for line in said.splitlines()]

    def command(self, *assignments: str, **more: str) -> tuple[str, str]:
        """`mmm run` with `--set` for each assignment; returns its last line and all it said."""
        command = [sys.executable, "-m", "mmm", "run", str(self.config)]
        places = ["--bucket", str(self.store.root), "--topic", str(self.topic.path)]
        sets = [word for assignment in assignments for word in ("--set", assignment)]
        done = subprocess.run(
            [*command, *places, *sets],
            cwd=ROOT,
            env={**os.environ, **more},
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        return (done.stdout.splitlines() or [""])[-1], said

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(base64.b64decode(m["data"])) for m in self.topic.messages()]

    def state(self, run_id: str) -> State | None:
        status = read_status(self.store, run_id)
        return status.state if status else None

    def run_ids(self) -> list[str]:
        return sorted({info.path.split("/")[1] for info in self.store.list("runs/")})

    def manifest(self, run_id: str) -> dict[str, Any]:
        path = layout.manifest("r1", "DE", run_id)
        return dict(json.loads(self.store.read(path).data))


def altered_r(folder: Path, file: str, old: str, new: str) -> Path:
    """Install a copy of r/ in which one line of `file` differs; returns it, for MMM_R_ROOT."""
    copy = folder / "r"
    shutil.copytree(ROOT / "r", copy, ignore=shutil.ignore_patterns("tests"))
    library = folder / ".r-library"
    library.mkdir()
    for package in (ROOT / ".r-library").iterdir():
        if package.name != "mmmtrainer":
            (library / package.name).symlink_to(package)
    code = (copy / file).read_text()
    assert code.count(old) == 1, f"{file} has {code.count(old)} times: {old}"
    (copy / file).write_text(code.replace(old, new))
    subprocess.run(["Rscript", "--vanilla", copy / "install.R"], check=True, capture_output=True)
    return copy


def wait_until(condition: Callable[[], object], patience: float = 120.0) -> None:
    """Wait for something that is to come true."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"waited {patience:.0f} s in vain"
        time.sleep(0.02)
