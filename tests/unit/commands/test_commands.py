"""The commands as a person meets them: help, messages, exit codes, Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from contract.run import State
from contract.stores.folder import FolderStore
from mmm.commands import app
from mmm.commands.app import COMMANDS
from mmm.commands.common import result_line
from mmm.commands.schema import DOCUMENTS, PRINTED
from tests.fakes.terminal import Terminal
from tests.statuses import put

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


RUN = "20261123T020000Z-1a2b3c4d"


@pytest.mark.parametrize(
    "arguments",
    [["list"], ["status"], ["show", "DE"], ["watch", "DE"], ["logs", "DE"], ["open", "DE"],
     ["cancel", RUN], ["promote", RUN, "--reason", "x"], ["hold", RUN, "--reason", "x"],
     ["rollback", "DE", "--reason", "x"]],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
def test_a_look_at_a_bucket_imports_no_library_of_data(
    arguments: list[str], tmp_path: Path
) -> None:
    program = (
        "import sys\n"
        "from mmm.commands import app\n"
        f"try: app({[*arguments, '--bucket', str(tmp_path)]})\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "pydantic" in loaded
    assert loaded & {"numpy", "pandas", "pyarrow", "sqlglot", "duckdb", "scipy", "altair"} == set()


@pytest.mark.parametrize("document", ["config", "event", "manifest", "decision"])
def test_a_schema_imports_no_library_of_data(document: str) -> None:
    assert loaded_at_first_output(["schema", document]) & DATA == set()


def test_a_plan_shows_its_first_line_before_it_imports_what_reads_data() -> None:
    assert loaded_at_first_output(["plan", "examples/configs/de_weekly.yaml"]) & DATA == set()


DATA = {"numpy", "pandas", "pyarrow", "sqlglot", "duckdb", "structlog", "rich"}


def loaded_at_first_output(arguments: list[str]) -> set[str]:
    """Return the packages that a command has imported when it first writes to stdout."""
    program = (
        "import os, sys\n"
        "from mmm.commands import app\n"
        "class First:\n"
        "    def write(self, text):\n"
        "        print(*sys.modules, file=sys.stderr, flush=True)\n"
        "        os._exit(0)\n"
        "    def flush(self): pass\n"
        "    def isatty(self): return False\n"
        "sys.stdout = First()\n"
        f"app({arguments})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "pydantic" in loaded
    return loaded


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("mmm ru", {"run"}),
        ("mmm schema ", set(DOCUMENTS)),
        ("mmm logs DE --severity ", {"INFO", "WARNING", "ERROR"}),
        ("mmm export ", {"csv", "parquet", "bigquery"}),
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
            f"DOCUMENT is `foo`; allowed: {', '.join(DOCUMENTS)}.",
        ),
        (
            ["schema", "configs"],
            f"DOCUMENT is `configs`; allowed: {', '.join(DOCUMENTS)}. Did you mean `config`?",
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
        (["cancel", "x"], "RUN is `x`; allowed: a run id, e.g. `20261123T020000Z-1a2b3c4d`"),
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


def test_a_result_is_one_line_also_with_several_faults() -> None:
    line = result_line("REJECTED", "20261123T020000Z-1a2b3c4d", message="first\nsecond\nthird")
    assert line == "REJECTED 20261123T020000Z-1a2b3c4d first (and 2 more, see the log)"


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


@pytest.mark.parametrize("module", ["job.runtime", "pydantic", "structlog"])
def test_ctrl_c_ends_the_job_quietly_while_modules_load(module: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPT)
    done = subprocess.run(
        [sys.executable, "-m", "job", "--config", str(CONFIG)],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "INTERRUPT_AT": module},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    said = [json.loads(line)["message"] for line in done.stderr.splitlines()]
    assert (done.returncode, said) == (-signal.SIGINT, ["the job starts"])


def test_every_command_prints_json_with_a_schema() -> None:
    group = typer.main.get_command(app)
    for name in COMMANDS:
        options = {option for p in group.commands[name].params for option in p.opts}  # type: ignore[attr-defined]
        if name in ("schema", "import-lift-tests"):  # it prints a schema; a part of a config
            continue
        assert "--json" in options, name
        assert PRINTED.get(name, name) in DOCUMENTS, name


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in ("schema", "dead-letters")])
def test_help_has_an_example(command: str) -> None:
    text = " ".join(CliRunner().invoke(app, [command, "--help"]).output.split())
    assert re.search(rf"Examples?: mmm {command} ", text), text


SHELL = """
source <(_MMM_COMPLETE=source_bash mmm)
COMP_WORDS=(mmm {words}) COMP_CWORD={at}
_mmm_completion mmm
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "at", "offered"),
    [
        ("rollb", 1, {"rollback"}),
        ("export p", 2, {"parquet"}),
        ("doctor --only ''", 3, {"machine", "objects"}),
    ],
)
def test_bash_completes(words: str, at: int, offered: set[str], tmp_path: Path) -> None:
    program = tmp_path / "mmm"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\nsys.argv[0] = 'mmm'\n"
        "from mmm.__main__ import main\nmain()\n"
    )
    program.chmod(0o755)
    script = SHELL.format(words=words, at=at)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], env=env, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == offered, done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_of_each_shell_is_valid(shell: str) -> None:
    env = {"_MMM_COMPLETE": f"source_{shell}"}
    script = CliRunner().invoke(app, [], prog_name="mmm", env=env).output
    assert "_MMM_COMPLETE" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("mmm schema event | sleep 0", 0, ""),
        ("mmm schema event > /dev/full", 74, "mmm: the output cannot be written: No space"),
        ("mmm list --bucket none > /dev/full", 0, "no runs in none; `mmm run CONFIG` starts one"),
        ("mmm list --bucket pyproject.toml", 64, "error: the bucket `pyproject.toml` is a file"),
        ("mmm list --bucket s3://x", 64, "error: the bucket is `s3://x`; allowed: gs://BUCKET"),
    ],
)
def test_streams_that_cannot_be_written(command: str, code: int, said: str) -> None:
    script = command.replace("mmm", f"{sys.executable} -m mmm", 1)
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) == bool(said)


def test_a_narrow_terminal_shows_a_block_for_each_row(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    run_id = put(store, 1, "DE", State.SUCCEEDED)
    command = [sys.executable, "-m", "mmm", "list", "--bucket", str(tmp_path)]
    terminal = Terminal(command, cwd=ROOT, env={**os.environ, "COLUMNS": "60", "NO_COLOR": "1"})
    assert terminal.finish() == 0
    lines = [line for line in terminal.lines() if line]
    assert lines[0] == f"RUN            {run_id}"
    assert max(map(len, lines)) <= 60
    piped = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert piped.splitlines()[1].split()[0] == run_id
    assert "\x1b" not in piped
