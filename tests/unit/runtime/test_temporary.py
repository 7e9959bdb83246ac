"""Temporary folders of processes that died, and of processes that live."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from job.runtime.temporary import TemporaryFolder, remove_stale

ROOT = Path(__file__).resolve().parents[3]
DIES = """
import os, sys
from job.runtime.temporary import TemporaryFolder
folder = TemporaryFolder(parent=sys.argv[1])
(folder.path / "snapshot.parquet").write_text("input data")
print(folder.path, flush=True)
if sys.argv[2] == "dies":
    os.kill(os.getpid(), 9)
sys.stdin.read()
"""


def start(parent: Path, how: str) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", DIES, str(parent), how], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_the_next_start_removes_the_folders_of_dead_processes_only(tmp_path: Path) -> None:
    lives, used = start(tmp_path, "lives")
    dead, left = start(tmp_path, "dies")
    dead.communicate()
    foreign = tmp_path / "mmm-notes"
    foreign.mkdir()
    (tmp_path / "mmm-link").symlink_to(left)
    assert (left / "snapshot.parquet").exists()
    with TemporaryFolder(parent=tmp_path) as mine:
        assert not left.exists()
        assert {used, foreign, mine.path} <= set(tmp_path.iterdir())
        remove_stale(tmp_path)
        assert mine.path.is_dir()
    lives.communicate()
    assert not mine.path.exists()
    mine.remove()
    remove_stale(tmp_path)
    assert not used.exists()
    assert foreign.is_dir()
