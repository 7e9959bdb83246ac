"""`mmm promote`, `hold` and `rollback`: the ledger says why, and `current.json` follows."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contract import layout
from contract.exceptions import ConfigError, TransientError
from contract.run import State, Status
from contract.stores.folder import FolderStore
from job.outputs import ledger
from job.outputs.duplicate import finished_run, remember
from job.outputs.pointer import newest_pointer
from job.outputs.promote import promote as move_pointer
from mmm.commands import app
from mmm.decisions import hold, promote, rollback
from tests.unit.outputs.test_decide import manifest
from tests.unit.report.page import Page

OLD, NEW, HELD = (f"2026112{n}T020000Z-aaaaaaa{n}" for n in (3, 4, 5))
WHY = {"reason": "because", "by": "ann@desk"}


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Two runs that succeeded, the newer one current, and a later one that is HELD."""
    store = FolderStore(tmp_path / "bucket")
    for number, (run_id, state) in enumerate(
        ((OLD, State.SUCCEEDED), (NEW, State.SUCCEEDED), (HELD, State.HELD))
    ):
        at = datetime.now(UTC) - timedelta(hours=3 - number)
        status = Status(
            run_id=run_id, state=state, market="DE", revision="r1", created_at=at, updated_at=at,
            outcome={"verdict": {"verdict": "REVIEW", "findings": []}},
        )  # fmt: skip
        store.write(layout.request(run_id), b"{}")
        store.write(layout.status(run_id), status.to_json())
        made = manifest(run_id, fingerprint=f"f{number}")
        store.write(layout.manifest("r1", "DE", run_id), made.to_json())
        if state is State.SUCCEEDED:
            move_pointer(store, run_id=run_id, market="DE", revision="r1", accepted_at=at, facts={})
            remember(store, f"f{number}", run_id)
    assert current(store) == NEW
    return store


def current(store: FolderStore) -> str:
    return str(json.loads(store.read(layout.current("r1", "DE")).data)["run_id"])


def duplicates(store: FolderStore) -> list[str | None]:
    """Return the run that each fingerprint stands for."""
    found = (finished_run(store, f"f{n}", revision="r1", market="DE") for n in range(3))
    return [one.run_id if one else None for one in found]


def test_a_held_run_that_is_promoted_is_current_and_counts(store: FolderStore) -> None:
    assert duplicates(store) == [OLD, NEW, None]
    promote(store, HELD, **WHY)
    assert current(store) == HELD
    assert duplicates(store) == [OLD, NEW, HELD]
    status = json.loads(store.read(layout.status(HELD)).data)
    assert status["state"] == "HELD"
    [decision] = ledger.decisions(store, "r1", "DE")
    assert (decision.run_id, decision.action, decision.reason, decision.by) == (
        HELD, "promote", "because", "ann@desk",
    )  # fmt: skip
    assert decision.evidence["verdict"]["verdict"] == "REVIEW"
    pointer = newest_pointer(store, "r1", "DE")
    assert pointer is not None
    assert pointer["run_id"] == HELD


def test_a_rollback_goes_to_the_last_other_accepted_run(store: FolderStore) -> None:
    promote(store, HELD, **WHY)
    rollback(store, "DE", "r1", **WHY)
    assert current(store) == NEW
    rollback(store, "DE", "r1", **WHY)
    assert current(store) == OLD
    assert duplicates(store) == [OLD, None, None]
    with pytest.raises(ConfigError, match="is the only accepted run of market `DE`"):
        rollback(store, "DE", "r1", **WHY)
    assert current(store) == OLD
    promote(store, NEW, **WHY)
    assert current(store) == NEW


def shown_as_current(store: FolderStore) -> list[str]:
    """Return the runs that the page about all markets shows as current."""
    text = Page(store.read(layout.index()).data.decode()).text
    return [run_id for run_id in (OLD, NEW, HELD) if f"{run_id} (current)" in text]


def test_every_decision_is_shown_in_the_page_about_all_markets(store: FolderStore) -> None:
    promote(store, HELD, **WHY)
    assert shown_as_current(store) == [HELD]
    hold(store, HELD, **WHY)
    assert shown_as_current(store) == [NEW]
    rollback(store, "DE", "r1", **WHY)
    assert shown_as_current(store) == [OLD]


def test_decisions_in_the_same_second_leave_a_page_that_agrees(store: FolderStore) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda run_id: promote(store, run_id, **WHY), [OLD, NEW, HELD] * 2))
    assert shown_as_current(store) == [current(store)]


def test_a_decision_stands_if_the_page_cannot_be_written(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def busy(_: object, **__: object) -> None:
        raise TransientError("the bucket does not answer")

    monkeypatch.setattr("contract.pages.update.update_index", busy)
    promote(store, HELD, **WHY)
    assert current(store) == HELD
    assert "`robyn/index.html` was not updated; the next update does it" in caplog.text


def test_an_older_run_that_is_promoted_stays_until_a_later_one(store: FolderStore) -> None:
    promote(store, OLD, **WHY)
    assert current(store) == OLD
    before = datetime.now(UTC) - timedelta(hours=1)
    late = "20261126T020000Z-aaaaaaa6"
    facts = {"market": "DE", "revision": "r1", "facts": {}}
    assert not move_pointer(store, run_id=late, accepted_at=before, **facts)  # type: ignore[arg-type]
    after = datetime.now(UTC) + timedelta(seconds=1)
    assert move_pointer(store, run_id=late, accepted_at=after, **facts)  # type: ignore[arg-type]


def test_holding_a_run_that_is_not_current_moves_nothing(store: FolderStore) -> None:
    hold(store, OLD, **WHY)
    assert current(store) == NEW
    assert duplicates(store) == [None, NEW, None]


@pytest.mark.parametrize(
    ("decide", "problem"),
    [
        (lambda s: promote(s, "x", **WHY), "RUN is `x`; allowed: a run id, e.g."),
        (lambda s: promote(s, f"{OLD[:-1]}0", **WHY), "there is no run"),
        (lambda s: promote(s, OLD, reason=" ", by="a"), "`--reason` is empty"),
        (lambda s: rollback(s, "FR", "r1", **WHY), "market `FR` has no current run"),
    ],
)
def test_what_cannot_be_decided_is_refused(
    store: FolderStore, decide: Callable[[FolderStore], object], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        decide(store)
    assert not list(ledger.decisions(store, "r1", "DE"))


def test_a_run_without_results_cannot_be_promoted(store: FolderStore) -> None:
    path = layout.status(OLD)
    failed = {**json.loads(store.read(path).data), "state": "FAILED"}
    store.write(path, json.dumps(failed).encode())
    with pytest.raises(ConfigError, match="is FAILED; only a run that is HELD or SUCCEEDED"):
        promote(store, OLD, **WHY)
    store.delete(layout.manifest("r1", "DE", HELD))
    with pytest.raises(ConfigError, match="has no manifest"):
        promote(store, HELD, **WHY)


def test_the_commands_print_what_they_did(store: FolderStore) -> None:
    place = ["--bucket", str(store.root), "--reason", "the price changed"]
    done = CliRunner().invoke(app, ["promote", HELD, *place])
    assert done.stdout == f"PROMOTED {HELD} (market DE, revision r1; current is {HELD})\n"
    done = CliRunner().invoke(app, ["rollback", "DE", *place, "--json", "--by", "bob"])
    document = json.loads(done.stdout)
    assert (document["by"], document["evidence"]["next"]) == ("bob", NEW)
    done = CliRunner().invoke(app, ["hold", OLD, *place])
    assert done.stdout == f"HELD {OLD} (market DE, revision r1)\n"
    done = CliRunner().invoke(app, ["hold", "x", *place])
    assert (done.exit_code, done.stdout) == (64, "")
    assert "RUN is `x`" in done.stderr
