"""Every command of the tutorial, in its order, in a folder that looks like a clone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.runs import ROOT, needs_r

BLOCK = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)


def clone(folder: Path) -> None:
    """Make what the tutorial uses of a clone: the table, and `mmm` in `.venv/bin`."""
    (folder / "examples/data").mkdir(parents=True)
    table = "examples/data/de_weekly.csv"
    (folder / table).write_bytes((ROOT / table).read_bytes())
    program = folder / ".venv/bin/mmm"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m mmm "$@"\n')
    program.chmod(0o755)


@needs_r
def test_the_tutorial(tmp_path: Path) -> None:
    clone(tmp_path)
    blocks = BLOCK.findall((ROOT / "docs/tutorial.md").read_text())
    script = "set -euo pipefail\n" + "echo '<block>'\n".join(blocks)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MMM_")}
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    said = dict(zip(
        ("folder", "doctor", "init", "check", "plan", "run", "read", "export", "decide", "again"),
        done.stdout.split("<block>\n"), strict=True,
    ))  # fmt: skip
    assert "channels:" in said["init"]
    assert "42 checks passed" in said["check"]
    assert "from the data" in said["plan"]
    state, run_id, report = said["run"].split()
    assert state == "SUCCEEDED"
    assert Path(report).is_file()
    assert said["again"].startswith("DUPLICATE ")
    assert f"{run_id}  *" in said["read"]
    rows = [line.replace('"', "").split(",") for line in said["export"].splitlines()[1:]]
    assert rows[0] == ["channel", "roas", "roas_low", "roas_high"]
    assert [row[0] for row in rows[1:]] == ["tv", "search", "social", "radio", ""]
    assert f"PROMOTED {run_id}" in said["decide"]
    assert "verdict REVIEW" in done.stderr
    assert "! the search is too short" in said["read"]
