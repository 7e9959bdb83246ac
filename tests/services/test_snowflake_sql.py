"""Snowflake's SQL extracts the same periods from the same data as plain pandas.

The real connector sends it to fakesnow, which parses it as Snowflake SQL.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlglot import exp

from contract.config import Config
from job.sources.sql import build
from mmm.propose.candidates import rank
from mmm.propose.places import sources_in_schema
from tests.fakes.snowflake import FakeSnowflake
from tests.unit.sources.test_month_names import FORMS, in_every_language
from tests.unit.sources.test_month_names import query as date_query
from tests.unit.sources.test_number_texts import EXPECTED
from tests.unit.sources.test_number_texts import query as number_query
from tests.unit.sources.test_sql_properties import cases, check, planned, types
from tests.unit.sources.test_time_zones import check_source, weekly


def in_snowflake(
    sql: str, date_type: str, rows: list[dict[str, Any]], server: FakeSnowflake
) -> list[tuple[Any, ...]]:
    lines = ", ".join(
        "(" + ", ".join(literal(value) for value in row.values()) + ")" for row in rows
    )
    server.execute(f"CREATE OR REPLACE TABLE daily ({types(date_type, 1)})")
    server.execute(f"INSERT INTO daily VALUES {lines}")
    with server._admin.cursor() as cursor:
        cursor.execute(sql)
        answer: list[tuple[Any, ...]] = cursor.fetchall()
        return answer


def literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, datetime):
        return f"'{value.isoformat(sep=' ')}'"
    return f"'{value}'" if isinstance(value, date) else repr(value)


@given(case=cases())
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_snowflake(
    case: tuple[str, list[dict[str, Any]], Config], snowflake_server: FakeSnowflake
) -> None:
    date_type, rows, config = case
    tree = build(config, planned(config, date_type, upper=True), exp.to_table("DAILY"))
    sql = tree.sql(dialect="snowflake")
    check(in_snowflake(sql, date_type, rows, snowflake_server), rows, config)


@pytest.mark.parametrize("kind", ["TIMESTAMP_NTZ", "TIMESTAMP_TZ", "TIMESTAMP_LTZ"])
def test_midnight_in_berlin(kind: str, tmp_path: Path, snowflake_server: FakeSnowflake) -> None:
    frame = weekly("Europe/Berlin")
    zone = "" if kind == "TIMESTAMP_NTZ" else "+00:00"
    rows = ", ".join(
        f"('{row.week:%Y-%m-%d %H:%M:%S}{zone}', {row.revenue}, {row.tv_spend})"
        for row in frame.itertuples()
    )
    snowflake_server.execute(
        f"CREATE OR REPLACE TABLE MOMENTS (WEEK {kind}, REVENUE FLOAT, TV_SPEND FLOAT)",
        f"INSERT INTO MOMENTS VALUES {rows}",
    )
    source = {"type": "snowflake", "table": "ANALYTICS.MMM.MOMENTS"}
    check_source(source, tmp_path, snowflake_server.env)


def test_the_tables_of_a_schema_are_listed(snowflake_server: FakeSnowflake) -> None:
    frame = weekly("UTC")
    rows = ", ".join(
        f"('{row.week:%Y-%m-%d}', {row.revenue}, {row.tv_spend})" for row in frame.itertuples()
    )
    snowflake_server.execute(
        "CREATE SCHEMA IF NOT EXISTS CANDIDATES",
        'CREATE OR REPLACE TABLE CANDIDATES."weekly" (WEEK DATE, REVENUE FLOAT, TV_SPEND FLOAT)',
        f'INSERT INTO CANDIDATES."weekly" VALUES {rows}',
        "CREATE OR REPLACE TABLE CANDIDATES.LOOKUP AS SELECT 1 AS X",
    )
    env = snowflake_server.env
    sources = sources_in_schema("snowflake", "analytics.candidates", env=env)
    best, other = rank(sources, env=env)
    assert best.command == "mmm init --type snowflake --table 'analytics.candidates.\"weekly\"'"
    assert best.facts.startswith(f"{len(frame)} rows, one per week from")
    assert (other.name, other.score) == ("analytics.candidates.LOOKUP", 0)
    assert len(sources_in_schema("snowflake", "CANDIDATES", env=env)) == 2


@pytest.mark.parametrize("date_format", FORMS)
def test_names_of_months(date_format: str, snowflake_server: FakeSnowflake) -> None:
    texts, days = in_every_language(date_format)
    texts += ["Total", "31 Feb 2021", "3 Foo 2021"]
    rows = ", ".join(f"({n}, {literal(text)})" for n, text in enumerate(texts))
    snowflake_server.execute(
        'CREATE OR REPLACE TABLE T (N INT, "day" VARCHAR)', f"INSERT INTO T VALUES {rows}"
    )
    with snowflake_server._admin.cursor() as cursor:
        cursor.execute(date_query(date_format, "snowflake") + " ORDER BY N")
        assert [row[0] for row in cursor.fetchall()] == [*days, None, None, None]


def test_numbers_as_people_write_them(snowflake_server: FakeSnowflake) -> None:
    with snowflake_server._admin.cursor() as cursor:
        cursor.execute(number_query("snowflake"))
        assert list(cursor.fetchone()) == EXPECTED
