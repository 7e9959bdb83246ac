"""`mmm status`, `list`, `show`, `watch` and `open` on a bucket with runs in every state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from contract import layout
from contract.base import canonical_json
from contract.run import RunError, State, change_status
from contract.stores.folder import FolderStore
from mmm.commands import app
from tests.statuses import START, put

VERDICT = {
    "verdict": "REVIEW",
    "findings": [{"level": "REVIEW", "sentence": "tv and radio cannot be separated"}],
}


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    store = FolderStore(tmp_path / "bucket")
    first = put(store, 1, "DE", State.SUCCEEDED, outcome={"verdict": VERDICT})
    put(
        store, 2, "DE", State.FAILED,
        error=RunError(code=65, kind="GateError", message="`tv`\x1b[31m is empty"),
    )  # fmt: skip
    put(store, 3, "FR", State.RUNNING, step="train", attempt=1)
    store.write(layout.current("r1", "DE"), canonical_json({"run_id": first}))
    store.write(layout.artifacts("r1", "DE", first, "report.html"), b"<p>report</p>")
    store.write(layout.status(f"{START:%Y%m%dT%H%M%SZ}-00000009"), b"torn")
    return tmp_path / "bucket"


def mmm(bucket: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--bucket", str(bucket)])


def test_the_newest_run_comes_first_and_the_current_one_has_a_star(bucket: Path) -> None:
    lines = mmm(bucket, "list").stdout.splitlines()
    assert [line.split()[0][-1] for line in lines[1:]] == ["3", "2", "1"]
    assert ["*" in line for line in lines[1:]] == [False, False, True]
    assert "REVIEW" in lines[3]
    assert r"`tv`\x1b[31m is empty" in lines[2]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--market", "DE"], ["2", "1"]),
        (["--state", "failed"], ["2"]),
        (["--limit", "1"], ["3"]),
        (["--market", "IT"], []),
    ],
)
def test_runs_are_chosen(bucket: Path, options: list[str], expected: list[str]) -> None:
    done = mmm(bucket, "list", "--json", *options)
    assert [json.loads(line)["run_id"][-1] for line in done.stdout.splitlines()] == expected


def test_an_unknown_state_is_named(bucket: Path) -> None:
    done = mmm(bucket, "list", "--state", "FAILD")
    assert done.exit_code == 64
    assert "Did you mean `FAILED`" in done.stderr


def test_a_market_has_its_current_run_and_what_is_at_work(bucket: Path) -> None:
    de, fr = mmm(bucket, "status").stdout.splitlines()[1:]
    assert de.split()[:4] == ["DE", "r1", "20261123T030000Z-00000001", "REVIEW"]
    assert fr.split()[2] == "none"
    assert fr.endswith("20261123T050000Z-00000003 RUNNING")


def test_a_run_in_detail(bucket: Path) -> None:
    text = mmm(bucket, "show", "DE").stdout
    assert "SUCCEEDED, the market's current run" in text
    assert "REVIEW  tv and radio cannot be separated" in text
    failed = json.loads(mmm(bucket, "show", "20261123T040000Z-00000002", "--json").stdout)
    assert (failed["state"], failed["is_current"]) == ("FAILED", False)


@pytest.mark.parametrize("name", ["IT", "../..", "a/b", "20261123T040000Z-0000000f"])
def test_a_run_that_is_not_there(bucket: Path, name: str) -> None:
    for command in ("show", "open", "watch"):
        done = mmm(bucket, command, name)
        assert done.exit_code == 64
        assert done.stderr.startswith("error: ")
        assert "mmm list" in done.stderr


def test_the_report_opens(bucket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    done = mmm(bucket, "open", "DE")
    assert Path(done.stdout.strip()).read_text() == "<p>report</p>"
    assert opened == [Path(done.stdout.strip()).as_uri()]
    failed = mmm(bucket, "open", "20261123T040000Z-00000002")
    assert failed.exit_code == 64
    assert "has no report: it is FAILED" in failed.stderr


def test_a_run_is_followed_to_its_end(bucket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(bucket)
    run_id = "20261123T050000Z-00000003"

    def end(_: float) -> None:
        """End the run between two looks."""
        change_status(store, run_id, lambda old: {
            "state": State.FAILED, "error": RunError(code=75, kind="X", message="out of memory")
        })  # fmt: skip

    monkeypatch.setattr("time.sleep", end)
    done = mmm(bucket, "watch", "FR")
    assert done.stderr.splitlines()[0] == "RUNNING · train · attempt 2"
    assert done.stdout == f"FAILED {run_id} out of memory\n"
    assert done.exit_code == 75
