"""Choose a table of a warehouse: level by level, with a search, by the job's own connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from contract.exceptions import ConfigError, ServiceError
from contract.stores.folder import FolderStore
from mmm.propose import browse
from mmm.propose.browse import written
from tests.fakes.bigquery import FakeBigQuery, running
from tests.fakes.snowflake import FakeSnowflake
from tests.unit.app.conftest import HOSTILE, Open, says


@pytest.fixture
def bigquery(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBigQuery]:
    """A project with ten datasets; one of them has twelve tables."""
    with running() as service:
        for number in range(10):
            service.database.execute(f"CREATE SCHEMA data{number}")
        for number in range(12):
            service.database.execute(f"CREATE TABLE data7.weekly{number} AS SELECT 1 AS x")
        for name, value in service.env.items():
            monkeypatch.setenv(name, value)
        yield service


def box(at: AppTest, label: str) -> Any:
    return next(one for one in at.selectbox if one.label == label)


def open_source(console: Open, title: str) -> AppTest:
    at = console("new_market")
    at.segmented_control(key="kind").set_value(title).run(timeout=120)
    assert not at.exception
    return at


def test_a_table_of_bigquery_is_found(
    console: Open, store: FolderStore, bigquery: FakeBigQuery
) -> None:
    at = open_source(console, "BigQuery")
    assert at.text_input(key="at-bigquery").value == "demo-proj"
    assert len(box(at, "Dataset").options) == 11  # DuckDB's `main` too, on several pages
    box(at, "Dataset").set_value("data7").run()
    assert box(at, "Table").options[:3] == ["weekly0", "weekly1", "weekly10"]
    box(at, "Table").set_value("weekly3").run()
    assert not next(b for b in at.button if b.label == "Continue").disabled


def test_a_long_list_has_a_search(
    console: Open, store: FolderStore, bigquery: FakeBigQuery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browse, "MOST", 5)
    at = open_source(console, "BigQuery")
    [search] = [one for one in at.text_input if one.label.startswith("Search datasets")]
    search.set_value("A7").run()
    assert box(at, "Dataset").options == ["data7"]
    box(at, "Dataset").set_value("data7").run()
    assert len(box(at, "Table").options) == 5
    [search] = [one for one in at.text_input if one.label.startswith("Search tables")]
    search.set_value("Y1").run()
    assert box(at, "Table").options == ["weekly1", "weekly10", "weekly11"]
    search = next(one for one in at.text_input if one.label.startswith("Search tables"))
    search.set_value(HOSTILE + "' or 1=1 -- \\").run()
    assert not at.exception
    assert not at.error
    assert box(at, "Table").options == []


def test_a_refusal_is_a_sentence_and_a_query_is_possible(
    console: Open, store: FolderStore, bigquery: FakeBigQuery
) -> None:
    bigquery.fail("/datasets", 403, "accessDenied", "Access Denied: Project demo-proj")
    at = open_source(console, "BigQuery")
    assert "list of datasets of project `demo-proj` is not allowed" in says(at)
    at.segmented_control(key="how-bigquery").set_value("A query").run()
    at.text_area(key="query-bigquery").set_value("SELECT 1 AS x").run()
    assert not next(b for b in at.button if b.label == "Continue").disabled


def test_a_table_of_snowflake_is_found(
    console: Open,
    store: FolderStore,
    snowflake_server: FakeSnowflake,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    snowflake_server.execute(
        "CREATE DATABASE IF NOT EXISTS SALES",
        'CREATE SCHEMA IF NOT EXISTS SALES."north sea"',
        "CREATE SCHEMA IF NOT EXISTS SALES.SOUTH",
        'CREATE OR REPLACE TABLE SALES.SOUTH."weekly sums" AS SELECT 1 AS X',
        "CREATE OR REPLACE TABLE SALES.SOUTH.OTHER AS SELECT 1 AS X",
        "USE SCHEMA ANALYTICS.MMM",  # a new database becomes the session's
    )
    for name, value in snowflake_server.env.items():
        monkeypatch.setenv(name, value)
    at = open_source(console, "Snowflake")
    assert (box(at, "Database").value, box(at, "Schema").value) == ("ANALYTICS", "MMM")
    assert "SALES" in box(at, "Database").options
    box(at, "Database").set_value("SALES").run(timeout=120)
    assert {"north sea", "SOUTH"} <= set(box(at, "Schema").options)
    assert "INFORMATION_SCHEMA" not in box(at, "Schema").options
    box(at, "Schema").set_value("SOUTH").run(timeout=120)
    assert box(at, "Table").options == ["OTHER", "weekly sums"]
    assert not at.error
    asked = [one for one in map(str, snowflake_server.seen()["queries"]) if "_name" in one.lower()]
    assert asked
    assert all("LIMIT 1001" in one for one in asked)


@pytest.mark.parametrize("name", ["NOWHERE", "no'\\\"; where"])
def test_a_database_that_cannot_be_seen_is_named(
    snowflake_server: FakeSnowflake, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for variable, value in snowflake_server.env.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(ServiceError, match=rf"list what `{re.escape(name)}` has"):
        browse.inside("snowflake", [name])


def test_names_are_written_as_a_config_has_them() -> None:
    assert written(["A", "b", "C.D"], "snowflake") == 'A."b"."C.D"'
    assert written(["my-proj", "d", "t x"], "bigquery") == "my-proj.d.t x"
    with pytest.raises(ConfigError, match="quotation mark"):
        written(["A", 'b"'], "snowflake")
