"""Every dialect extracts the same periods from the same data as plain pandas.

DuckDB runs its own SQL. BigQuery's SQL is parsed as BigQuery SQL and run by DuckDB; this checks the
SQL's grammar, not BigQuery itself. `tests/services` runs Snowflake's SQL.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pandas as pd
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from contract.config import Config
from job.sources.plan import Plan, make_plan
from job.sources.schema import Field, Kind
from job.sources.sql import build
from tests.unit.sources import pandas_reference
from tests.unit.sources.conftest import make_config

TRICKY_DAYS = [
    date(2023, 12, 31),
    date(2024, 1, 1),
    date(2024, 2, 28),
    date(2024, 2, 29),
    date(2024, 3, 1),
    date(2024, 3, 31),  # DST begins in Europe
    date(2024, 10, 27),  # and ends
    date(2024, 3, 10),  # DST in America
    date(2020, 12, 28),  # week 53
    date(2021, 1, 3),
    date(2021, 1, 4),
    date(2024, 12, 30),
    date(1999, 12, 31),
]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
TYPES = {
    "date": ("DATE", "DATE"),
    "naive": ("TIMESTAMP", "TIMESTAMP_NTZ"),
    "zoned": ("TIMESTAMPTZ", "TIMESTAMP_TZ"),
    "iso": ("VARCHAR", "VARCHAR"),
    "german": ("VARCHAR", "VARCHAR"),
}
KINDS = {
    "date": Kind.DATE,
    "naive": Kind.TIMESTAMP,
    "zoned": Kind.TIMESTAMP_TZ,
    "iso": Kind.TEXT,
    "german": Kind.TEXT,
}
COLUMNS = ["sales", "tv", "grp", "mail", "price", "event"]

days = st.one_of(
    st.sampled_from(TRICKY_DAYS),
    st.builds(
        lambda day, shift: day + timedelta(days=shift),
        st.sampled_from(TRICKY_DAYS),
        st.integers(-9, 9),
    ),
)
seconds = st.one_of(st.sampled_from([0, 1, 7199, 7200, 10799, 86399]), st.integers(0, 86399))
amounts = st.integers(-(10**9), 10**9).map(lambda cents: cents / 100)


@st.composite
def tables(draw: st.DrawFn, date_type: str) -> list[dict[str, Any]]:
    """Generate rows with repeated dates, dates at boundaries and missing values."""
    rows = []
    for _ in range(draw(st.integers(1, 25))):
        day = draw(days)
        moment = datetime(day.year, day.month, day.day) + timedelta(seconds=draw(seconds))
        written = {
            "date": day,
            "naive": moment,
            "zoned": moment.replace(tzinfo=UTC),
            "iso": draw(st.sampled_from([f"{day}", f" {day} ", f"{day}T10:00:00", f"{moment}"])),
            "german": f"{day:%d.%m.%Y}",
        }[date_type]
        rows.append(
            {
                "day": written,
                "country": draw(st.sampled_from(["DE", "FR", "D'E"])),
                "sales": draw(amounts),
                "tv": draw(st.none() | amounts),
                "grp": draw(st.none() | st.integers(0, 10**6)),
                "mail": draw(st.none() | st.floats(-1e6, 1e6).map(lambda x: round(x, 4))),
                "price": draw(st.none() | st.sampled_from(["", " ", "1.5", " 2.25 ", "-3"])),
                "event": draw(st.none() | st.sampled_from(["", "none", "promo", "Ä-Tag", "it's"])),
            }
        )
    return rows


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[dict[str, Any]], Config]:
    """Generate a date type, a table with it, and a config for the table."""
    date_type = draw(st.sampled_from(sorted(TYPES)))
    rows = draw(tables(date_type))
    how = st.sampled_from(["sum", "mean", "min", "max", "first", "last"])
    start = draw(st.none() | days)
    end = draw(st.none() | days)
    when: dict[str, Any] = {
        "column": "day",
        "frequency": draw(st.sampled_from(["day", "week", "month"])),
        "week_start": draw(st.sampled_from(["monday", "sunday", "thursday"])),
        "timezone": draw(st.sampled_from(ZONES)),
        "start": start,
        "end": end if start is None or (end and end > start) else None,
        "format": "%d.%m.%Y" if date_type == "german" else None,
    }
    rules = {c: draw(how) for c in COLUMNS[:-1]}
    rules["event"] = draw(st.sampled_from(["first", "last", "min", "max"]))
    by_country = draw(st.booleans())
    source: dict[str, Any] = {"type": "snowflake", "table": "daily"}
    if by_country:
        source |= {"country_column": "country", "country": draw(st.sampled_from(["DE", "D'E"]))}
    return date_type, rows, make_config(source, date=when, aggregation=rules)


def planned(config: Config, date_type: str, *, upper: bool) -> Plan:
    kinds = {
        "day": KINDS[date_type],
        "country": Kind.TEXT,
        "sales": Kind.DECIMAL,
        "tv": Kind.DECIMAL,
        "grp": Kind.INTEGER,
        "mail": Kind.FLOAT,
        "price": Kind.TEXT,
        "event": Kind.TEXT,
    }
    fields = [
        Field(name=name.upper() if upper else name, kind=kind) for name, kind in kinds.items()
    ]
    return make_plan(config, fields, table="daily")


def types(date_type: str, dialect: int) -> str:
    kinds = {
        "day": TYPES[date_type][dialect],
        "country": "VARCHAR",
        "sales": "DECIMAL(18, 2)",
        "tv": "DECIMAL(18, 2)",
        "grp": "INTEGER",
        "mail": "DOUBLE",
        "price": "VARCHAR",
        "event": "VARCHAR",
    }
    return ", ".join(f"{name} {kind}" for name, kind in kinds.items())


def in_duckdb(sql: str, date_type: str, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'Asia/Tokyo'")  # the session's zone must not matter
        connection.execute(f"CREATE TABLE daily ({types(date_type, 0)})")
        connection.executemany(
            "INSERT INTO daily VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [list(r.values()) for r in rows]
        )
        return connection.execute(sql).fetchall()


def check(answer: list[tuple[Any, ...]], rows: list[dict[str, Any]], config: Config) -> None:
    how = {column: rule.value for column, rule in config.aggregation.items()}
    expected = pandas_reference.extracted(rows, config, how)
    order = ["sales", "tv", "grp", "mail", "price", "event"]
    dated = [line[: 1 + len(order)] for line in answer if line[0] is not None]
    found = pd.DataFrame(dated, columns=["period", *order])[list(expected.columns)]
    pd.testing.assert_frame_equal(
        found.astype(object).where(found.notna(), None),
        expected.astype(object).where(expected.notna(), None),
        check_dtype=False,
        check_exact=False,
        rtol=1e-9,
        atol=1e-6,
    )


@given(case=cases())
@settings(max_examples=30)
def test_duckdb(case: tuple[str, list[dict[str, Any]], Config]) -> None:
    date_type, rows, config = case
    tree = build(config, planned(config, date_type, upper=False), exp.to_table("daily"))
    check(in_duckdb(tree.sql(dialect="duckdb"), date_type, rows), rows, config)


@given(case=cases())
@settings(max_examples=15)
def test_bigquery_by_grammar(case: tuple[str, list[dict[str, Any]], Config]) -> None:
    date_type, rows, config = case
    tree = build(config, planned(config, date_type, upper=False), exp.to_table("daily"))
    text = tree.sql(dialect="bigquery")
    (translated,) = sqlglot.transpile(text, read="bigquery", write="duckdb")
    check(in_duckdb(translated, date_type, rows), rows, config)


@pytest.mark.parametrize("dialect", ["duckdb", "snowflake", "bigquery"])
def test_every_name_of_the_source_is_quoted(dialect: str) -> None:
    """A column named like SQL stays a name."""
    nasty = 'x" FROM secrets; DROP TABLE y; --'
    config = make_config({"type": "snowflake", "table": "daily"}, context=[nasty])
    names = ["day", "sales", "tv", "grp", "mail", "event"]
    fields = [*(Field(name=n, kind=Kind.FLOAT) for n in names), Field(name=nasty, kind=Kind.FLOAT)]
    fields[0] = Field(name="day", kind=Kind.DATE)
    tree = build(config, make_plan(config, fields, table="daily"), exp.to_table("daily"))
    (read,) = sqlglot.parse(tree.sql(dialect=dialect), dialect=dialect)
    assert isinstance(read, exp.Select)
    assert {table.name for table in read.find_all(exp.Table)} <= {
        "daily", "given", "source", "marked", "days", "periods"
    }  # fmt: skip
    assert nasty in {column.name for column in read.find_all(exp.Column)}
