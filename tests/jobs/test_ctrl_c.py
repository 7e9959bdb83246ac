"""Ctrl-C at a real terminal of 60 columns: one sentence, exit code 130, and nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from contract import layout
from contract.run import State, change_status, read_status
from contract.stores.folder import FolderStore
from mmm.local.tasks import processes_of
from tests.fakes.terminal import Terminal
from tests.faults.scene import CONFIG, ROOT, make_training
from tests.jobs.test_signals import DEAF_R
from tests.statuses import put

COLUMNS = 60
CTRL_C = "\x03"
Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Return a function that starts `mmm` on a bucket, with an R that hangs and does not listen."""
    script = tmp_path / "Rscript"
    script.write_text(DEAF_R)
    script.chmod(0o755)
    (tmp_path / "tmp").mkdir()
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    env = {**os.environ, "MMM_RSCRIPT": str(script), "TMPDIR": str(tmp_path / "tmp")}
    env["MMM_BUCKET"] = str(tmp_path / "bucket")
    env["MMM_EVENTS_TOPIC"] = str(tmp_path / "events.jsonl")

    def make(*arguments: str) -> Terminal:
        command = [sys.executable, "-m", "mmm", *arguments]
        return Terminal(command, cwd=ROOT, env=env, columns=COLUMNS)

    return make


def stopped(terminal: Terminal, tmp_path: Path, *, at: str) -> list[str]:
    """Press Ctrl-C when a text is shown; return what the terminal shows at the end."""
    terminal.read_until(at)
    terminal.type(CTRL_C)
    assert terminal.finish() == 130
    lines = terminal.lines()
    assert not any("Traceback" in line for line in lines)
    assert not terminal.cursor_is_hidden
    assert processes_of({"MMM_RSCRIPT": str(tmp_path / "Rscript")}) == []
    assert list((tmp_path / "tmp").iterdir()) == []
    return lines


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bucket with a run of market DE that has SUCCEEDED, trained by a stand-in for R."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    env = {**os.environ, "MMM_RSCRIPT": str(make_training(folder))}
    env["MMM_BUCKET"], env["MMM_EVENTS_TOPIC"] = str(folder / "b"), str(folder / "events.jsonl")
    command = [sys.executable, "-m", "mmm", "run", str(folder / "config.yaml")]
    subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True)
    return folder / "b"


@pytest.mark.parametrize("step", ["run 2", "extract …", "train …"])
def test_a_run_ends_as_cancelled(start: Start, tmp_path: Path, step: str) -> None:
    lines = stopped(start("run", str(tmp_path / "config.yaml")), tmp_path, at=step)
    store = FolderStore(tmp_path / "bucket")
    [run_id] = store.folders(layout.RUNS)
    assert " ".join(lines).endswith(f"CANCELLED {run_id} stopped by Ctrl-C")
    status = read_status(store, run_id)
    assert status is not None
    assert status.state is State.CANCELLED
    assert not list(store.list(layout.ARTIFACTS + "r1/"))


@pytest.mark.parametrize(
    ("arguments", "at"), [(("watch", "DE"), "RUNNING"), (("logs", "DE", "--follow"), "a line")]
)
def test_looking_at_a_run_does_not_stop_it(
    start: Start, tmp_path: Path, arguments: tuple[str, ...], at: str
) -> None:
    store = FolderStore(tmp_path / "bucket")
    run_id = put(store, 1, "DE", State.RUNNING)
    entry = b'{"severity": "INFO", "message": "a line", "time": "2026-11-23T02:00:00Z"}\n'
    store.write(layout.log(run_id, "1.jsonl"), entry)
    lines = stopped(start(*arguments), tmp_path, at=at)
    assert lines[-1] == "mmm: interrupted by Ctrl-C"
    change_status(store, run_id, lambda old: {"step": old.step})  # it is whole
    status = read_status(store, run_id)
    assert status is not None
    assert status.state is State.RUNNING


@pytest.mark.parametrize("arguments", [("replay", "DE"), ("upgrade-check", "DE", "DE")])
def test_training_again_ends_at_once_and_starts_nothing_else(
    start: Start, finished: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    lines = stopped(start(*arguments, "--bucket", str(finished)), tmp_path, at="train …")
    assert sum("train …" in line for line in lines) == 1
    assert sum("stopped by Ctrl-C" in line for line in lines) == 1


def test_a_plan_ends_with_one_sentence(start: Start, tmp_path: Path) -> None:
    lines = stopped(start("plan", str(tmp_path / "config.yaml")), tmp_path, at="market")
    assert lines[-1] == "mmm: interrupted by Ctrl-C"
