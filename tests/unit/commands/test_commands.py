"""The commands as a person meets them: help, messages, exit codes, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmm.commands import app
from mmm.commands.app import COMMANDS
from mmm.commands.common import result_line

ROOT = Path(__file__).resolve().parents[3]
WEEKLY = ROOT / "examples/data/de_weekly.csv"
CONFIG = ROOT / "examples/configs/de_weekly.yaml"


def mmm(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "mmm", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **(env or {})}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_the_version() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert done.exit_code == 0
    name, version = done.output.split()
    assert name == "mmm"
    assert version[0].isdecimal()


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_everywhere(command: str, option: str) -> None:
    done = CliRunner().invoke(app, [*command.split(), option])
    assert done.exit_code == 0
    assert "-h, --help" in done.output


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"]])
def test_help_imports_no_library_that_only_runs_need(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from mmm.commands import app\n"
        f"try: app({arguments})\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    heavy = {"yaml", "numpy", "pandas", "pyarrow", "sqlglot", "duckdb", "structlog"}
    if arguments == ["--help"]:
        heavy.add("pydantic")  # typer uses it to read the arguments of a command
    assert "mmm" in loaded
    assert heavy & loaded == set()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("mmm ru", {"run"}),
        ("mmm schema ", {"config", "request", "event", "manifest", "proposal", "compare"}),
    ],
)
def test_shells_complete_commands_and_choices(words: str, offered: set[str]) -> None:
    typed = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = CliRunner().invoke(
        app, [], prog_name="mmm", env={"_MMM_COMPLETE": "complete_bash", **typed}
    )
    assert set(done.output.split()) == offered


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["schema", "foo"],
            "DOCUMENT is `foo`; allowed: config, request, event, manifest, proposal, compare.",
        ),
        (
            ["schema", "configs"],
            "DOCUMENT is `configs`; allowed: config, request, event, manifest, proposal, compare. "
            "Did you mean `config`?",
        ),
        (["dead-letters", "resend"], "ACTION is `resend`; allowed: list, replay."),
        (
            ["init", "--type", "snow", "--table", "t"],
            "`--type` is `snow`; allowed: snowflake, bigquery. Did you mean `snowflake`?",
        ),
        (
            ["init", "--table", "a b"],
            "`source.table` is `a b`; allowed: a table as NAME, SCHEMA.NAME or "
            "DATABASE.SCHEMA.NAME, at most 400 characters.",
        ),
        (["cancel", "x"], "RUN is `x`; allowed: e.g. `20261123T020000Z-1a2b3c4d`"),
        (["run", "no.yaml"], "there is no config file `no.yaml`"),
        (
            ["plan", str(CONFIG), "--set", "training.trials=abc"],
            "`--set training.trials=abc`: `training.trials` is `abc`; allowed: a whole number "
            "from 1 to 100.",
        ),
        (
            ["run", str(CONFIG), "--set", "training.trials"],
            "`--set training.trials` is not FIELD=VALUE, e.g. training.trials=2",
        ),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 64
    assert done.stderr.splitlines() == [f"error: {message}"]
    assert done.stdout == ""


def test_init_makes_the_folders_of_its_output(tmp_path: Path) -> None:
    output = tmp_path / "new" / "folder" / "de.yaml"
    done = CliRunner().invoke(app, ["init", str(WEEKLY), "--output", str(output)])
    assert (done.exit_code, done.output) == (0, "")
    assert output.read_text().startswith("# Proposed from")

    again = CliRunner().invoke(app, ["init", str(WEEKLY), "--output", str(output)])
    assert again.exit_code == 64
    assert again.stderr == (
        f"error: `--output {output}` exists; choose another path or remove the file\n"
    )


def test_init_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    output = tmp_path / "file" / "de.yaml"
    done = CliRunner().invoke(app, ["init", str(WEEKLY), "--output", str(output)])
    assert done.exit_code == 64
    assert done.stderr.startswith(f"error: `--output {output}` cannot be written: ")


def test_a_duplicate_says_how_to_train_again() -> None:
    line = result_line("DUPLICATE", "20261123T020000Z-1a2b3c4d", report_uri="file:///b/report.html")
    assert line == (
        "DUPLICATE 20261123T020000Z-1a2b3c4d /b/report.html "
        "(trained before; use --force to train again)"
    )


def test_json_logs_hold_for_errors_before_the_run() -> None:
    done = CliRunner().invoke(app, ["run", "no.yaml", "--json-logs"])
    [line] = done.stderr.splitlines()
    entry = json.loads(line)
    assert (entry["severity"], entry["message"]) == ("ERROR", "there is no config file `no.yaml`")


INTERRUPT = """
import os, signal, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["INTERRUPT_AT"]:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
"""


@pytest.mark.parametrize(
    "module",
    ["mmm.commands", "typer", "pydantic", "numpy", "pandas", "pyarrow", "duckdb", "job.gate"],
)
def test_ctrl_c_ends_with_one_line_while_modules_load(module: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPT)
    path = f"{tmp_path}:{ROOT}"
    done = mmm("check", str(CONFIG), env={"PYTHONPATH": path, "INTERRUPT_AT": module})
    assert done.returncode == 130, done.stdout + done.stderr
    assert done.stderr == "mmm: interrupted by Ctrl-C\n"


@pytest.mark.parametrize("module", ["job.runtime", "pydantic", "pyarrow"])
def test_ctrl_c_ends_the_job_quietly_while_modules_load(module: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPT)
    done = subprocess.run(
        [sys.executable, "-m", "job", "--config", str(CONFIG)],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "INTERRUPT_AT": module},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")
