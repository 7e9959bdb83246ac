"""`mmm logs`: what an attempt stores of its log, and what a person sees of it."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from contract import layout
from contract.exceptions import ServiceError
from contract.run import RunError, State, change_status
from contract.stores.folder import FolderStore
from job.attempt.stored_log import StoredLog
from job.runtime import logs
from job.runtime.settings import Settings
from mmm.commands import app
from tests.statuses import put


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "bucket")


@pytest.fixture
def run_id(store: FolderStore) -> str:
    return put(store, 3, "FR", State.RUNNING)


def attempt(store: FolderStore, run_id: str, number: int) -> StoredLog:
    settings = Settings.model_construct(
        execution="projects/p/locations/l/jobs/j/executions/x1", task_index=0, attempt=number
    )
    return StoredLog(store, run_id, settings, log=logs.configure("json"))


def mmm(store: FolderStore, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["logs", *arguments, "--bucket", str(store.root)])


def test_the_entries_of_all_attempts_stand_in_order(store: FolderStore, run_id: str) -> None:
    first, second = (attempt(store, run_id, number) for number in (0, 1))
    log = logs.configure("json").bind(run_id=run_id, market="FR")
    log.info("train …", step="train")
    log.warning("2 of 3 trials\nare left", source="R", trials=2)
    first.write()
    log.error("the disk is full", exit_code=75)
    log.info("of another run", run_id="another")
    second.write()

    lines = mmm(store, "FR").stdout.splitlines()
    assert [line[8:] for line in lines if "train …" in line] == ["   train …"] * 2
    marked = mmm(store, run_id, "--severity", "warning", "--limit", "2").stdout.splitlines()
    assert [line[8:] for line in marked] == [
        " ! R: 2 of 3 trials",
        "   are left  (trials=2)",
        " x the disk is full  (exit_code=75)",
    ]
    last = json.loads(mmm(store, "FR", "--json").stdout.splitlines()[-1])
    assert (last["severity"], last["exit_code"]) == ("ERROR", 75)
    assert last["logging.googleapis.com/labels"] == {"run_id": run_id, "market": "FR"}


def test_torn_lines_are_left_out(store: FolderStore, run_id: str) -> None:
    whole = '{"severity": "INFO", "message": "a\\u001b[31m", "time": "2026-11-23T02:00:00Z"}'
    store.write(layout.log(run_id, "x-0-0.jsonl"), f'{{"sever\n{whole}\n[]\n\xff'.encode("latin1"))
    assert mmm(store, run_id).stdout == "02:00:00   a\\x1b[31m\n"


def test_a_run_without_a_log_says_so(store: FolderStore, run_id: str) -> None:
    done = mmm(store, run_id)
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"run {run_id} is RUNNING and stored no such entries\n"
    assert mmm(store, "IT").exit_code == 64
    assert "allowed: INFO, WARNING, ERROR" in mmm(store, run_id, "--severity", "FATAL").stderr


def test_a_log_is_followed_until_the_run_ends(
    store: FolderStore, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmm.logs.follow.__kwdefaults__", {"severity": "INFO", "every": 0.05})
    writer = attempt(store, run_id, 0)
    log = logs.configure("json").bind(run_id=run_id)
    log.info("one")
    writer.write()

    def end() -> None:
        time.sleep(0.2)
        log.info("two")
        writer.write()
        error = RunError(code=75, kind="X", message="out of memory")
        change_status(store, run_id, lambda old: {"state": State.FAILED, "error": error})

    thread = threading.Thread(target=end)
    thread.start()
    done = mmm(store, run_id, "--follow")
    thread.join()
    assert [line[-3:] for line in done.stdout.splitlines()] == ["one", "two"]


def test_a_log_that_cannot_be_stored_ends_no_run(
    store: FolderStore, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise ServiceError("the bucket refuses")

    writer = attempt(store, run_id, 0)
    logs.configure("json").info("one", run_id=run_id)
    monkeypatch.setattr(store, "write", refuse)
    writer.write_now_and_then()
