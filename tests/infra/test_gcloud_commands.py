"""Every gcloud command of the documents and alerts is one that gcloud knows, with its flags.

gcloud checks the commands itself, without a project or an account. Values are not checked.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ENDS = {"|", "||", "&&", ";", ">", ">>"}


def commands_in(text: str) -> list[str]:
    """The gcloud commands of a Markdown or Terraform text, without what follows them."""
    text = text.replace("\\\n", " ")
    inline = re.findall(r"`(gcloud [^`]+)`", text)
    fenced = [
        line
        for block in re.findall(r"```bash\n(.*?)```", text, re.S)
        for line in block.splitlines()
        if "gcloud " in line
    ]
    return [command_of(line) for line in [*fenced, *inline]]


def command_of(line: str) -> str:
    """The gcloud command of a line: inside `$(…)`, behind a pipe, with placeholders as values."""
    if inner := re.search(r'"\$\((gcloud .*)\)"$', line.strip()):
        line = inner.group(1)
    line = re.sub(r"\$\{[^}]*\}|\$\([^)]*\)|\$\w+", "x", line[line.index("gcloud ") :])
    words = shlex.split(line, comments=True)
    end = next((i for i, word in enumerate(words) if word in ENDS), len(words))
    return shlex.join(words[:end])


def documented() -> list[str]:
    files = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "infra" / "monitoring.tf"]
    found = [command for file in files for command in commands_in(file.read_text())]
    return [command for command in dict.fromkeys(found) if len(command.split()) > 2]


def checked(commands: list[str], folder: Path) -> dict[str, str | None]:
    """What gcloud says about each command: None, or its error."""
    file = folder / "commands.json"
    file.write_text(json.dumps([{"command_string": command} for command in commands]))
    done = subprocess.run(
        ["gcloud", "meta", "lint-gcloud-commands", f"--commands-file={file}"],
        env={
            **os.environ,
            "CLOUDSDK_CONFIG": str(folder / "gcloud"),
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    answers = json.loads(done.stdout)
    assert len(answers) == len(commands), done.stderr
    return {
        command: None if answer["success"] else str(answer["error_message"])
        for command, answer in zip(commands, answers, strict=True)
    }


def test_commands_are_found() -> None:
    text = """```bash
D="$(gcloud artifacts docker images describe "$I:$V" --format='value(a.b)')"
printf %s "$P" | gcloud secrets versions add one \\
  --data-file=-   # a comment
```
and `gcloud run jobs list` in a sentence"""
    assert commands_in(text) == [
        "gcloud artifacts docker images describe x:x '--format=value(a.b)'",
        "gcloud secrets versions add one --data-file=-",
        "gcloud run jobs list",
    ]
    assert len(documented()) > 20


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed")
def test_gcloud_knows_every_documented_command(tmp_path: Path) -> None:
    wrong = ["gcloud scheduler jobs runn x", "gcloud scheduler jobs run x --locations=y"]
    answers = checked([*wrong, *documented()], tmp_path)
    assert all(answers.pop(command) for command in wrong)
    assert {command: error for command, error in answers.items() if error} == {}
