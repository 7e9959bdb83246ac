"""`mmm pause`, `mmm resume`, and what `mmm status` says meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from contract import layout
from contract.stores.folder import FolderStore
from mmm.commands import app


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    return tmp_path / "bucket"


def mmm(bucket: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--bucket", str(bucket)])


def test_a_market_is_paused_and_resumed(bucket: Path) -> None:
    done = mmm(bucket, "pause", "DE", "--reason", "no data", "--by", "jo")
    assert done.exit_code == 0
    assert done.stdout.startswith("PAUSED DE since ")
    assert done.stdout.endswith(" UTC by jo: no data\n")
    assert "note: market DE has had no run" in done.stderr
    assert mmm(bucket, "status").stdout.splitlines()[1].endswith("by jo: no data")

    again = mmm(bucket, "pause", "DE", "--reason", "other", "--by", "ann", "--json")
    assert json.loads(again.stdout)["reason"] == "no data"

    resumed = mmm(bucket, "resume", "DE")
    assert resumed.stdout.startswith("RESUMED DE since ")
    assert FolderStore(bucket).stat(layout.paused("DE")) is None


def test_a_pause_that_cannot_be_read_is_shown_and_ends(bucket: Path) -> None:
    FolderStore(bucket).write(layout.paused("DE"), b"torn")
    [line] = mmm(bucket, "status", "--json").stdout.splitlines()
    assert (json.loads(line)["is_paused"], json.loads(line)["pause"]) == (True, None)
    assert mmm(bucket, "resume", "DE").stdout == "RESUMED DE\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pause", "a/b", "--reason", "x"], "`market` is `a/b`; allowed: letters, digits"),
        (["pause", "DE", "--reason", " "], "`--reason` is empty"),
        (["resume", "FR"], "market `FR` is not paused in"),
    ],
)
def test_what_cannot_be_done_is_said(bucket: Path, arguments: list[str], said: str) -> None:
    mmm(bucket, "pause", "IT", "--reason", "x")
    done = mmm(bucket, *arguments)
    assert done.exit_code == 64
    assert said in done.stderr
