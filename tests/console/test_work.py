"""The work of a person in a real browser: from a table to a report, and what goes wrong on the way."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from contract import layout
from contract.run import State, read_status
from contract.stores.folder import FolderStore
from mmm import configs, drafts
from tests.console.browser import Page
from tests.console.conftest import Make, picture
from tests.runs import ROOT, WEEKLY, needs_r, wait_until
from tests.statuses import put
from tests.unit.app.conftest import HOSTILE, outcome
from tests.unit.app.test_decide import write_curves, write_table
from tests.unit.compare.test_compare import FIRST, SECOND
from tests.unit.compare.test_compare import put as put_result
from tests.unit.report.test_in_browser import violations

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
CLICKS = 12
CSV = ROOT / "examples" / "data" / "de_weekly.csv"
SMALL = "training: {preset: test, trials: 1, iterations: 40}\nposterior: {sweeps: 60}\n"


def begin(page: Page, table: Path, market: str) -> str:
    """Upload a table and continue; return the draft's id."""
    page.see("Where is the table?")
    page.upload(table)
    page.see(table.name)
    page.type("Market", market)
    page.click("Continue", "button", exact=True)
    page.see("What each column is")
    return str(page.run("new URL(location).searchParams.get('draft')"))


def make_small(store: FolderStore, draft_id: str, text: str) -> None:
    """Let the search be short, as somebody with the same draft in another window would."""
    draft, generation = drafts.read(store, draft_id)
    small = text.partition("training:")[0] + SMALL
    drafts.change(store, draft_id, draft, generation, by="ann@example.com", text=small)


@needs_r
def test_from_a_table_to_a_report_though_the_instance_is_killed(make_console: Make) -> None:
    console = make_console()
    page = console.open("new-market")
    draft_id = begin(page, CSV, "DE")
    page.click("The config as text")  # no step of the way: it makes the search of the test short
    page.wait("!!document.querySelector('textarea')")
    text = page.run("document.querySelector('textarea').value")
    page.clicks -= 1
    console.kill()  # in the middle: nothing but the draft is left
    make_small(console.store, draft_id, text)
    console.start()
    page.open(f"http://localhost:{console.port}/new-market?draft={draft_id}")
    page.see("Check the data and plan the run")
    picture(page, "new-market")
    page.click("Check the data and plan the run")
    page.see("checks passed")
    page.click("Save the config")
    page.see("Saved as")
    page.click("Train")
    page.see("The run begins within seconds")
    console.serve()
    page.see("Requested", patience=200)  # the page Run opens by itself
    page.see("SUCCEEDED", patience=400)
    picture(page, "run")
    page.click("Show the report here")
    page.wait("!!document.querySelector('iframe')")
    assert page.clicks <= CLICKS, "from a table to its report"
    saved = configs.read(console.store, "de")
    assert saved is not None
    assert "ann@example.com" in saved.text
    for path, text in (("", "Start a run"), ("budget?market=DE", "Keep it")):
        page.open(f"http://localhost:{console.port}/{path}")
        page.see(text)
        picture(page, path.partition("?")[0] or "markets")


def test_a_run_is_cancelled(make_console: Make) -> None:
    console = make_console()
    slow = WEEKLY + "training: {preset: test, trials: 1, iterations: 100000}\n"
    configs.save(console.store, "de", slow, seen=0, by="ann@example.com")
    console.serve()
    page = console.open()
    page.see("Start a run")
    page.click("Start a run")
    page.see("The request is published")
    wait_until(lambda: list(console.store.folders(layout.RUNS)))
    [run_id] = console.store.folders(layout.RUNS)
    page.open(f"http://localhost:{console.port}/run?run={run_id}")
    page.see("Cancel the run")
    page.click("Cancel the run", "summary")
    page.click("Cancel it")
    page.see("CANCELLED", patience=200)
    status = read_status(console.store, run_id)
    assert status is not None
    assert status.state is State.CANCELLED


def test_two_people_on_one_config(make_console: Make) -> None:
    console = make_console()
    ann, bob = (console.open("new-market") for _ in range(2))
    for page in (ann, bob):
        begin(page, CSV, "DE")
        page.click("Check the data and plan the run")
        page.see("Save the config")
    ann.click("Save the config")
    ann.see("Saved as")
    bob.click("Save the config")
    bob.see("has a newer version")
    assert "Nothing is overwritten" in bob.text or "nothing was overwritten" in bob.text
    assert len(list(console.store.list("config-versions/"))) == 0


@pytest.fixture
def filled(make_console: Make) -> Any:
    """A console whose bucket has two results, a run at work, a failed one, and hostile names."""
    console = make_console()
    store = console.store
    put_result(store, FIRST, roas=2.0)
    put_result(store, SECOND, roas=2.9, state=State.HELD, quarter=120.0)
    for run_id, state, verdict, held in (
        (FIRST, State.SUCCEEDED, "REVIEW", None),
        (SECOND, State.HELD, "PASS", "ROAS of `tv` is 2.90 and was 2.00, a change of 45%"),
    ):
        status = read_status(store, run_id)
        assert status is not None
        done = outcome(run_id, verdict, f"names such as {HOSTILE} are text", held=held)
        changed = status.model_copy(update={"state": state, "outcome": done})
        store.write(layout.status(run_id), changed.to_json())
        write_curves(store, run_id)
        write_table(
            store, run_id, "lift_tests",
            [{"test": 1, "channel": "tv", "start": "2025-03-03", "end": "2025-03-30",
              "lift": 100.0, "standard_error": 10.0, "before": 50.0, "before_low": 40.0,
              "before_high": 60.0, "after": 90.0, "after_low": 80.0, "after_high": 100.0}],
        )  # fmt: skip
    store.write(layout.current("r1", "DE"), json.dumps({"run_id": FIRST}).encode())
    put(
        store, 3, "FR", State.RUNNING, step="train",
        progress={"trials": 2, "iterations": 100, "by_trial": {"1": 100, "2": 20}},
        steps=[{"name": "train", "seconds": None, "started_at": "2026-11-23T05:00:00+00:00"}],
    )  # fmt: skip
    configs.save(store, "de", WEEKLY, seen=0, by="bob@example.com")
    return console


SEEN = {
    "": "One market",
    f"run?run={FIRST}": "Requested",
    "run?run=20261123T050000Z-00000003": "Cancel the run",
    "new-market": "Where is the table?",
    "compare?market=DE": "Ledger",
    "budget?market=DE": "Keep it",
    "experiments?market=DE": "Add a test",
}


def test_everybody_can_read_the_pages(filled: Any) -> None:
    """axe finds nothing serious, nothing is wider than the screen, and hostile names are text."""
    axe = files("axe_core_python").joinpath("axe.min.js").read_text()
    page, found = filled.open(), []
    for width in (1280, 390):
        page.resize(width)
        for path, text in SEEN.items():
            page.open(f"http://localhost:{filled.port}/{path}")
            page.see(text)
            page.run(f"{axe}; true")
            found += [(path, width, *one) for one in violations(page)]
            assert page.run("document.documentElement.scrollWidth") <= width, (path, width)
            assert page.run("document.querySelectorAll('img[src*=\"e.org\"]').length") == 0
            if FIRST in path:
                assert HOSTILE.replace("`", "") in page.text.replace("\u2060", ""), (
                    "hostile names are text"
                )
    assert found == []


def test_a_held_run_is_held_back_and_promoted(filled: Any) -> None:
    page = filled.open("compare?market=DE")
    page.see("Held: ROAS")
    picture(page, "compare")
    page.type("Why", "the price change is real")
    page.click("Hold: keep it")
    page.see("The run is held")
    page.type("Why", "no, it is real")
    page.click("Promote: make it")
    page.see("The run is promoted")
    current = json.loads(filled.store.read(layout.current("r1", "DE")).data)
    assert current["run_id"] == SECOND
