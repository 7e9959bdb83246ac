"""`mmm cancel` of a run that is at work on this machine, at every step of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import yaml

from contract import layout
from contract.run import State
from contract.stores.folder import FolderStore
from contract.topics.jsonl import FileTopic
from mmm.cancel import cancel
from mmm.local.launcher import LocalLauncher
from tests.faults.scene import CONFIG, ROOT, make_training
from tests.runs import wait_until

STOPS_WITHIN = 5.0  # seconds after the answer of `mmm cancel`
SLOW = """
import importlib, sys, time
from pathlib import Path
module, name, when, marker = sys.argv[1:5]
del sys.argv[1:5]
place = importlib.import_module(module)
real = getattr(place, name)
def slow(*given, **more):
    result = real(*given, **more) if when == "after" else None
    Path(marker).touch()
    time.sleep(60)
    return result if when == "after" else real(*given, **more)
if when != "never":
    setattr(place, name, slow)
from mmm.__main__ import main
main()
"""
STEPS = {
    "wait": ("job.lifecycle", "wait_for_market", "before"),
    "extract": ("job.pipeline", "extract", "after"),
    "gate": ("job.pipeline", "check", "after"),
    "train": ("job.train.step", "run_r", "before"),
    "outputs": ("job.pipeline", "write_outputs", "after"),
    "upload": ("job.outputs.step", "upload_all", "after"),
    "manifest": ("job.outputs.step", "_publish", "after"),
    "promote": ("job.pipeline", "promote", "before"),
}


class Run:
    """`mmm run` in a process of its own; one function of it takes a minute."""

    def __init__(self, folder: Path, module: str, name: str, when: str) -> None:
        self.store = FolderStore(folder / "bucket")
        self.topic = FileTopic(folder / "events.jsonl")
        self.marker = folder / "reached"
        self.script = folder / "Rscript"
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump(CONFIG))
        self.process = subprocess.Popen(
            [sys.executable, "-c", SLOW, module, name, when, str(self.marker), "run", str(config),
             "--bucket", str(self.store.root), "--topic", str(self.topic.path)],
            cwd=ROOT,
            env={**os.environ, "MMM_RSCRIPT": str(self.script), "TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip

    @property
    def run_id(self) -> str:
        return list(self.store.folders(layout.RUNS))[-1]

    def cancel(self) -> State:
        return cancel(self.run_id, self.store, self.topic, LocalLauncher([], env={})).state

    def written(self) -> dict[str, int]:
        """Every object and its generation, without the event and what a lease leaves behind."""
        ours = ("/events/", "/lease.json", "/clock.json", "/.lock")
        return {
            str(file): file.stat().st_mtime_ns
            for file in self.store.root.rglob("*")
            if file.is_file() and not any(part in str(file) for part in ours)
        }

    def processes(self) -> list[int]:
        found = psutil.process_iter(["cmdline"])
        return [one.pid for one in found if str(self.script) in (one.info["cmdline"] or [])]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_training(tmp_path)
    return tmp_path


@pytest.mark.parametrize("step", STEPS)
def test_a_cancel_ends_the_process_and_nothing_is_written_after_it(folder: Path, step: str) -> None:
    run = Run(folder, *STEPS[step])
    try:
        wait_until(run.marker.exists)
        assert run.cancel() is State.CANCELLED
        written = run.written()
        run.process.wait(STOPS_WITHIN)
        assert run.written() == written
    finally:
        run.process.kill()
    said, _ = run.process.communicate()
    assert said == f"CANCELLED {run.run_id} cancelled by `mmm cancel`\n"
    assert run.process.returncode == 143
    assert run.processes() == []
    assert [line["attributes"]["state"] for line in run.topic.messages()] == ["CANCELLED"]
    assert run.store.stat(layout.current("r1", "DE")) is None
    assert list(run.store.list("fingerprints/")) == []
    assert list(folder.glob("mmm-*")) == []


def test_r_ends_with_its_run(folder: Path) -> None:
    run = Run(folder, "job.pipeline", "train", "never")
    run.script.write_text("#!/bin/sh\ntrap '' TERM\nsleep 600\n")
    try:
        wait_until(lambda: len(run.processes()) > 0)
        assert run.cancel() is State.CANCELLED
        run.process.wait(STOPS_WITHIN)
        assert run.processes() == []
    finally:
        run.process.kill()
        run.process.communicate()


def test_a_run_that_failed_after_its_manifest_does_not_block_its_market(folder: Path) -> None:
    killed = Run(folder, *STEPS["promote"])
    wait_until(killed.marker.exists)
    killed.process.kill()
    killed.process.communicate()
    assert killed.store.stat(layout.manifest("r1", "DE", killed.run_id)) is not None
    launcher = LocalLauncher([], env={})
    ended = cancel(killed.run_id, killed.store, killed.topic, launcher, patience=0)
    assert ended.state is State.CANCELLED
    later = Run(folder, "job.pipeline", "train", "never")
    said, _ = later.process.communicate(timeout=60)
    state, run_id, *_ = said.split()
    assert (state, run_id) == ("SUCCEEDED", later.run_id)
    current = json.loads(later.store.read(layout.current("r1", "DE")).data)
    assert current["run_id"] == run_id
