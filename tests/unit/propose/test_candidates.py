"""Candidates: the tables of a folder or a DuckDB file, with the command that continues."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import jsonschema
import pandas as pd
import pytest
from typer.testing import CliRunner

from contract.exceptions import ConfigError, DataError
from mmm.commands import app
from mmm.propose.candidates import rank
from mmm.propose.places import sources_in_path, sources_in_schema
from mmm.propose.profiles import SAMPLE_ROWS
from mmm.schemas import json_schema
from tests.fakes.bigquery import FakeBigQuery, running
from tests.unit.propose.test_questions import table


def test_the_tables_of_a_folder_are_listed_with_a_score(tmp_path: Path) -> None:
    table(rows=60).to_csv(tmp_path / "weekly sales.csv", index=False)
    pd.DataFrame({"a": [1, 2], "b": [3, 4]}).to_parquet(tmp_path / "lookup.parquet")
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04junk")
    (tmp_path / "notes.md").write_text("hello")
    best, *others = rank(sources_in_path(tmp_path))
    assert (best.score, best.command) == (100, f"mmm init '{tmp_path}/weekly sales.csv'")
    assert best.facts.startswith(
        "60 rows, one per week from 2022-01-03 to 2023-02-20, target `revenue`"
    )
    assert {Path(one.source["path"]).name: one.score for one in others} == {
        "lookup.parquet": 0, "broken.xlsx": 0,
    }  # fmt: skip
    facts = {Path(one.source["path"]).name: one.facts for one in others}
    assert "is damaged" in facts["broken.xlsx"]
    assert facts["lookup.parquet"] == "2 rows; it has no date or target or channel"


def test_the_tables_of_a_database_are_listed(tmp_path: Path) -> None:
    frame = table(rows=60)
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.register("frame", frame)
        connection.execute('CREATE TABLE "weekly-sales" AS SELECT * FROM frame')
        connection.execute("CREATE TABLE other AS SELECT 1 AS x")
    done = CliRunner().invoke(app, ["init", str(path)])
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == f"100  mmm init {path} --table 'main.\"weekly-sales\"'"
    assert "other" in done.stdout
    continued = CliRunner().invoke(app, ["init", str(path), "--table", 'main."weekly-sales"'])
    assert 'target: {column: "revenue"' in continued.stdout


def test_a_folder_without_tables_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no table; allowed: files that end with"):
        rank(sources_in_path(tmp_path))


def _init(*arguments: str) -> dict[str, object]:
    done = CliRunner().invoke(app, ["init", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    document: dict[str, object] = json.loads(done.stdout)
    jsonschema.validate(document, json_schema("proposal"))
    return document


def test_programs_are_asked_which_table(tmp_path: Path) -> None:
    table(rows=60).to_csv(tmp_path / "weekly.csv", index=False)
    pd.DataFrame({"a": [1, 2], "b": [3, 4]}).to_parquet(tmp_path / "lookup.parquet")
    asked = _init(str(tmp_path))
    assert asked["config"] is None
    (which,) = asked["questions"]  # type: ignore[misc]
    path = str(tmp_path / "weekly.csv")
    assert (which["id"], which["default"]) == ("table", path)  # type: ignore[index]
    first = which["options"][0]  # type: ignore[index]
    assert first["value"] == path
    assert first["label"].startswith("score 100: 60 rows, one per week")
    chosen = _init(str(tmp_path), "--answer", f"table={path}")
    assert chosen["config"]["source"]["path"] == path  # type: ignore[index]
    refused = CliRunner().invoke(app, ["init", str(tmp_path), "--answer", f"table={path}x"])
    assert refused.exit_code == 64
    assert f"Did you mean `{path}`?" in refused.output


def test_tables_larger_than_the_sample_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "large.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE daily AS SELECT DATE '2020-01-01' + (i // 50)::INTEGER AS day, "
            f"random() AS revenue, random() AS tv_spend FROM range({SAMPLE_ROWS + 5}) t(i)"
        )
    (found,) = rank(sources_in_path(path))
    assert found.facts.startswith(f"{SAMPLE_ROWS + 5:,} rows, one per day from 2020-01-01 to ")
    assert f"in a sample of {SAMPLE_ROWS:,} rows" in found.facts


@pytest.fixture
def bigquery() -> Iterator[FakeBigQuery]:
    with running() as service:
        service.database.execute("CREATE SCHEMA mmm")
        service.database.register("frame", table(rows=60))
        service.database.execute("CREATE TABLE mmm.weekly AS SELECT * FROM frame")
        service.database.execute("CREATE VIEW mmm.lookup AS SELECT 1 AS x")
        service.database.execute("CREATE TABLE elsewhere AS SELECT 1 AS x")
        yield service


def test_the_tables_of_a_dataset_are_listed(bigquery: FakeBigQuery) -> None:
    best, other = rank(sources_in_schema("bigquery", "mmm", env=bigquery.env), env=bigquery.env)
    assert (best.score, best.name) == (100, "mmm.weekly")
    assert best.command == "mmm init --type bigquery --table mmm.weekly"
    assert best.facts.startswith("60 rows, one per week from 2022-01-03 to 2023-02-20")
    assert (other.score, other.facts) == (0, "1 row; it has no date or target or channel")


def test_the_command_lists_a_dataset(
    bigquery: FakeBigQuery, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in bigquery.env.items():
        monkeypatch.setenv(name, value)
    where = ("--type", "bigquery", "--schema", "mmm")
    listed = CliRunner().invoke(app, ["init", *where])
    assert listed.stdout.startswith("100  mmm init --type bigquery --table mmm.weekly\n")
    (which,) = _init(*where)["questions"]  # type: ignore[misc]
    assert which["default"] == "mmm.weekly"  # type: ignore[index]
    chosen = _init(*where, "--answer", "table=mmm.weekly")
    assert chosen["config"]["source"] == {"type": "bigquery", "table": "mmm.weekly"}  # type: ignore[index]


def test_a_large_table_of_bigquery_is_not_read(bigquery: FakeBigQuery) -> None:
    bigquery.bytes_to_read = 3 * 2**30
    sources = sources_in_schema("bigquery", "mmm", env=bigquery.env)
    before = len(bigquery.inserted)
    facts = {one.facts for one in rank(sources, env=bigquery.env)}
    assert facts == {"not read: BigQuery would bill 3.0 GiB for it (allowed: 1 GiB)"}
    assert all(job["dryRun"] for job in bigquery.inserted[before:])


def test_a_dataset_without_tables_is_named(bigquery: FakeBigQuery) -> None:
    with pytest.raises(DataError, match="`empty` has no table that can be seen"):
        sources_in_schema("bigquery", "empty", env=bigquery.env)
    with pytest.raises(ConfigError, match=r"`--schema` is `a\.b\.c\.d`; allowed: dataset"):
        sources_in_schema("bigquery", "a.b.c.d", env=bigquery.env)
