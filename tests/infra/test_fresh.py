"""`scripts/try-fresh.sh`: what it refuses, and what it skips with a reason."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "try-fresh.sh"


def run(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    env = os.environ | ({"PATH": path} if path else {})
    return subprocess.run(
        ["/bin/bash", SCRIPT, *arguments], capture_output=True, text=True, check=False, env=env
    )


def test_an_unknown_release_is_refused() -> None:
    done = run("jessie")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "unknown release: jessie; allowed: bookworm, trixie, forky\n"


def test_a_missing_tool_skips_with_the_reason(tmp_path: Path) -> None:
    for tool in ("dirname", "git", "unshare"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or "/usr/bin/env")
    done = run("trixie", path=str(tmp_path))
    assert done.returncode == 0
    assert done.stdout == (
        "skip  try-fresh trixie (debootstrap is not installed; on Debian: apt-get install debootstrap)\n"
    )
