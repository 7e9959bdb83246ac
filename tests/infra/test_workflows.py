"""The workflows: pinned actions, no permissions by default; and the script that tries a deployment."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_and_every_permission_is_asked_for(file: Path) -> None:
    text = file.read_text()
    for used in re.findall(r"^\s*(?:- )?uses: (.*)$", text, re.M):
        assert re.match(r"\./|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", used), used
    assert yaml.safe_load(text)["permissions"] == {}
    assert not re.findall(r"secrets\.", text), "jobs sign in by their identity"


def test_one_action_has_one_version() -> None:
    texts = [file.read_text() for file in WORKFLOWS]
    pins = {pin for text in texts for pin in re.findall(r"uses: ([\w./-]+)@([0-9a-f]{40})", text)}
    assert len(pins) == len({name for name, _ in pins})


GCLOUD = """#!/bin/sh
echo "$@" >> "$CALLS"
[ "$1" = storage ] || exit 0
[ "$(grep -c ^storage "$CALLS")" -gt 1 ] || exit 1
printf '{"state": "%s"}' "$STATE"
"""


@pytest.mark.parametrize(
    ("state", "code", "said"),
    [
        ("SUCCEEDED", 0, "is SUCCEEDED"),
        ("HELD", 0, "is HELD"),
        ("FAILED", 1, "is FAILED"),
        ("RUNNING", 1, "did not end in time; its state is RUNNING"),
    ],
)
def test_smoke_waits_for_the_end_of_its_run(
    tmp_path: Path, state: str, code: int, said: str
) -> None:
    gcloud = tmp_path / "gcloud"
    gcloud.write_text(GCLOUD)
    gcloud.chmod(0o755)
    calls = tmp_path / "calls"
    done = subprocess.run(
        [ROOT / "scripts" / "smoke.sh", "my-project", "my-bucket"],
        env={
            **os.environ,
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "CALLS": str(calls),
            "STATE": state,
            "SMOKE_PAUSE": "0.1",
            "SMOKE_SECONDS": "2",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done
    published, read, *_ = calls.read_text().splitlines()
    message = json.loads(published.partition("--message=")[2])
    assert message["config_uri"] == "gs://my-bucket/configs/smoke.yaml"
    assert f"gs://my-bucket/runs/{message['run_id']}/status.json" in read
