"""From a table in Snowflake to a promoted run, in a real browser."""

from __future__ import annotations

import csv
import json

import pytest

from contract import layout
from tests.console.conftest import Make
from tests.console.test_work import CSV, make_small
from tests.fakes.snowflake import FakeSnowflake
from tests.runs import needs_r

pytestmark = [pytest.mark.slow]


@needs_r
def test_from_a_table_to_a_promoted_run(
    make_console: Make, snowflake_server: FakeSnowflake
) -> None:
    with CSV.open() as file:
        head, *rows = list(csv.reader(file))
    kinds = {"DATE": "DATE", "EVENTS": "VARCHAR"}
    columns = ", ".join(f"{name} {kinds.get(name, 'FLOAT')}" for name in head)
    values = ", ".join(f"({', '.join(repr(v) for v in row)})" for row in rows)
    snowflake_server.execute(
        f"CREATE OR REPLACE TABLE WEEKLY ({columns})", f"INSERT INTO WEEKLY VALUES {values}"
    )
    console = make_console(**snowflake_server.env)
    page = console.open("new-market")
    page.see("Where is the table?")
    page.click("Snowflake")
    page.see("Read by this deployment's identity")
    assert "password" not in page.text.lower()
    page.choose("Table", "WEEKLY")
    page.type("Market", "DE")
    page.click("Continue", "button", exact=True)
    page.see("What each column is", patience=200)
    draft_id = page.run("new URL(location).searchParams.get('draft')")
    page.click("The config as text")
    page.wait("!!document.querySelector('textarea')")
    make_small(console.store, draft_id, page.run("document.querySelector('textarea').value"))
    page.open(f"http://localhost:{console.port}/new-market?draft={draft_id}")
    page.click("Check the data and plan the run")
    page.see("Save the config", patience=200)
    page.click("Save the config")
    page.see("Saved as")
    console.serve()
    page.click("Train")
    page.see("Requested", patience=200)
    page.see("SUCCEEDED", patience=400)
    run_id = page.run("new URL(location).searchParams.get('run')")
    page.open(f"http://localhost:{console.port}/compare?market=DE")
    page.see("Decide")
    page.type("Why", "the first model of this market")
    page.click("Promote: make it")
    page.see("The run is promoted")
    assert json.loads(console.store.read(layout.current("r1", "DE")).data)["run_id"] == run_id
    decisions = list(console.store.list(layout.decision("r1", "DE", run_id)))
    assert any("promote" in info.path and "job" not in info.path for info in decisions)
