"""SIGTERM in every step, with storage that is slow, silent or gone: the job exits in time."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import psutil
import pytest
import yaml

from contract import layout
from contract.run import State, Status, read_status
from contract.stores import Store, open_store
from job.runtime import signals
from tests.fakes.gcs import FakeGCS
from tests.fakes.proxy import Call, Fault, Kind, Proxy
from tests.faults.scene import CONFIG, ROOT, make_training

IN_TIME = 10.0  # Cloud Run sends SIGKILL then; the job ends by itself before
SLOW_SECONDS = float(os.environ.get("MMM_SLOW_SECONDS", "0.4"))
MOMENTS = {  # the call during which SIGTERM arrives
    "lease": lambda call: call.method == "POST" and b'lease.json"' in call.body[:600],
    "extract": lambda call: b'snapshot.parquet"' in call.body[:600],
    "gate": lambda call: b'quality.json"' in call.body[:600],
    "train": lambda call: b"/trials/" in call.body[:600],
    "outputs": lambda call: "prefix=robyn" in call.path,  # what is to be replaced
    "upload": lambda call: b'report.html"' in call.body[:600],
    "manifest": lambda call: b'/manifest.json"' in call.body[:600],
    "promote": lambda call: b'current.json"' in call.body[:600],
    "event": lambda call: b'/events/' in call.body[:600],
}  # fmt: skip
AFTER = {
    "slow": Fault(kind=Kind.DELAY, seconds=SLOW_SECONDS),
    "silent": Fault(kind=Kind.DELAY, seconds=3600),
    "gone": Fault(kind=Kind.CUT_BEFORE),
}

PAIRS = (
    itertools.product(MOMENTS, AFTER)
    if os.environ.get("MMM_ALL_MOMENTS")
    else [("extract", "gone"), ("train", "slow"), ("upload", "silent"), ("event", "silent")]
)


@dataclass
class Terminator:
    """Send SIGTERM at a moment; from then on, break the storage's calls as `after` says."""

    moment: str
    after: str
    pid: int = 0
    at: float | None = None
    calls: list[str] = field(default_factory=list)

    def __call__(self, call: Call) -> Fault | None:
        if self.at is None and MOMENTS[self.moment](call):
            self.at = time.monotonic()
            os.kill(self.pid, signal.SIGTERM)
        elif self.at is None:
            return None
        self.calls.append(f"{call.method} {unquote(call.path)[-60:]}")
        return AFTER[self.after]


@dataclass
class Exit:
    """How the job exited, how long it took, and what it left."""

    code: int
    seconds: float
    processes: list[list[str]]
    files: list[str]
    status: Status | None


@pytest.fixture
def store(bucket: str) -> Store:
    return open_store(bucket)


def terminate(
    store: Store, server: FakeGCS, folder: Path, moment: str, after: str, rscript: str, *,
    retries: int = 1,
) -> Exit:  # fmt: skip
    """Run the job until it exits after the moment; return how it exited and what it left."""
    scratch = folder / "tmp"
    scratch.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    execution = f"terminated-{os.getpid()}-{folder.name}"
    terminator = Terminator(moment, after)
    with Proxy(server.url, terminator).running() as proxy, (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "job", "--config", str(folder / "config.yaml")],
            env={
                **os.environ, "MMM_BUCKET": store.url, "MMM_RSCRIPT": rscript,
                "MMM_EVENTS_TOPIC": str(folder / "events.jsonl"), "TMPDIR": str(scratch),
                "CLOUD_RUN_EXECUTION": execution, "CLOUD_RUN_TASK_ATTEMPT": "0",
                "MMM_MAX_RETRIES": str(retries), "STORAGE_EMULATOR_HOST": proxy.url,
                "MMM_DATA_FOLDER": str(ROOT / "examples" / "data"),
            },
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        terminator.pid = process.pid
        try:
            code = process.wait(180)
            ended = time.monotonic()
        finally:
            process.kill()
            process.wait()
    time.sleep(0.2)  # the guard ends R's group
    assert terminator.at is not None, (folder / "log").read_text()[-3000:]
    run_ids = list(store.folders(layout.RUNS))
    return Exit(
        code=code,
        seconds=ended - terminator.at,
        processes=[
            one.info["cmdline"]
            for one in psutil.process_iter(["environ", "cmdline"])
            if (one.info["environ"] or {}).get("CLOUD_RUN_EXECUTION") == execution
        ],
        files=[str(path) for path in scratch.rglob("*")],
        status=read_status(store, run_ids[0]) if run_ids else None,
    )


@pytest.mark.parametrize(("moment", "after"), PAIRS)
def test_sigterm_in_any_step_ends_the_job_in_time(
    store: Store, gcs_server: FakeGCS, tmp_path: Path, moment: str, after: str
) -> None:
    rscript = str(make_training(tmp_path / "r"))
    found = terminate(store, gcs_server, tmp_path, moment, after, rscript)
    print(f"{moment}, {after}: {found.code} after {found.seconds:.2f} s")
    assert found.seconds < IN_TIME
    assert (found.processes, found.files) == ([], [])
    over = found.status is not None and found.status.state is State.SUCCEEDED
    assert found.code in ((143, 75, 0) if over else (143,))
    if after == "slow" and moment != "lease":
        assert found.status is not None
        assert over or (found.status.error is not None and found.status.error.code == 143)


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_sigterm_ends_the_real_r_in_time(store: Store, gcs_server: FakeGCS, tmp_path: Path) -> None:
    found = terminate(store, gcs_server, tmp_path, "train", "silent", "Rscript")
    assert found.seconds < IN_TIME
    assert (found.code, found.processes, found.files) == (143, [], [])


def test_the_last_attempt_marks_its_run_cancelled_although_the_storage_is_slow(
    store: Store, gcs_server: FakeGCS, tmp_path: Path
) -> None:
    script = str(make_training(tmp_path / "r"))
    found = terminate(store, gcs_server, tmp_path, "train", "slow", script, retries=0)
    assert found.status is not None
    assert (found.code, found.status.state) == (143, State.CANCELLED)


def test_the_deadline_is_well_within_ten_seconds() -> None:
    assert signals.EXIT_SECONDS < 7.0
