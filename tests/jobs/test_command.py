"""`mmm run` in a process of its own: what it prints, where, and what a terminal shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from contract import layout
from tests.fakes.terminal import COLUMNS, Terminal
from tests.runs import ROOT, WEEKLY, needs_r

CONFIG = f"""{WEEKLY}
training:
  {{trials: 2, iterations: 60, min_candidates: 20, engine: builtin, cores: 1, min_r2: -1}}
posterior: {{sweeps: 60}}
outputs: {{onepagers: 0}}
"""


def command(folder: Path, *options: str) -> list[str]:
    """`mmm run` on a bucket and a topic in the folder."""
    config = folder / "config.yaml"
    config.write_text(CONFIG)
    places = ["--bucket", str(folder / "bucket"), "--topic", str(folder / "events.jsonl")]
    return [sys.executable, "-m", "mmm", "run", str(config), *places, *options]


def test_the_run_id_comes_first_and_stdout_has_the_result_alone(tmp_path: Path) -> None:
    refused = command(tmp_path, "--set", "limits.max_cost=0.000001")
    done = subprocess.run(refused, cwd=ROOT, capture_output=True, text=True, check=False)
    [result] = done.stdout.splitlines()
    state, run_id, *_ = result.split()
    assert (done.returncode, state) == (64, "FAILED")
    assert done.stderr.splitlines()[0].split()[1:] == ["run", run_id]
    [stored] = (tmp_path / "bucket" / layout.log(run_id)).iterdir()
    logged = [json.loads(line)["message"] for line in stored.read_text().splitlines()]
    assert logged[0] == f"run {run_id}"
    assert "limits.max_cost" in logged[-1]
    assert "\x1b" not in done.stdout + done.stderr  # a pipe has no colour


def test_json_logs_are_json_to_the_end(tmp_path: Path) -> None:
    refused = command(tmp_path, "--set", "limits.max_cost=0.000001", "--json-logs")
    done = subprocess.run(refused, cwd=ROOT, capture_output=True, text=True, check=False)
    result = json.loads(done.stdout)
    assert (result["state"], result["report_uri"]) == ("FAILED", None)
    assert "limits.max_cost" in result["message"]
    first, *_ = [json.loads(line) for line in done.stderr.splitlines()]
    assert first["message"] == f"run {result['run_id']}"
    assert first["logging.googleapis.com/labels"]["run_id"] == result["run_id"]


@needs_r
def test_a_terminal_shows_each_line_and_each_bar_once(tmp_path: Path) -> None:
    terminal = Terminal(command(tmp_path), cwd=ROOT, env=os.environ)
    assert terminal.finish() == 0
    lines = terminal.lines()
    result = next(line for line in lines if line.startswith("SUCCEEDED "))
    assert lines[0][8:] == f"   run {result.split()[1]}"
    for trial in (1, 2):
        [bar] = [line for line in lines if line.startswith(f"  trial {trial} ")]
        assert "60/60" in bar
    assert len([line for line in lines if line.endswith("  train …")]) == 1
    assert len([line for line in lines if "train done in" in line]) == 1
    assert all(len(line) <= COLUMNS for line in lines)
    assert not terminal.cursor_is_hidden

    again = subprocess.run(command(tmp_path), cwd=ROOT, capture_output=True, text=True, check=True)
    assert again.stdout.startswith("DUPLICATE ")
    assert again.stdout.endswith("report.html (trained before; use --force to train again)\n")

    places = ["--bucket", str(tmp_path / "bucket")]
    replay = [sys.executable, "-m", "mmm", "replay", "DE", *places]
    done = subprocess.run(replay, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()[0]) == (0, "EQUAL"), done.stdout

    upgrade = [sys.executable, "-m", "mmm", "upgrade-check", "--json", *places]
    done = subprocess.run(upgrade, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["outcome"]) == (0, "EQUAL"), done.stdout

    stability = [
        sys.executable,
        "-m",
        "mmm",
        "stability",
        "DE",
        "--periods",
        "2",
        "--json",
        *places,
    ]
    done = subprocess.run(stability, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["market"], len(result["ends"])) == ("DE", 2)
    assert result["max_roas_change"] >= 0.1
