"""Candidates: the tables of a folder or a DuckDB file, with the command that continues."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest
from typer.testing import CliRunner

from contract.exceptions import DataError
from mmm.commands import app
from mmm.propose.candidates import find_candidates
from tests.unit.propose.test_questions import table


def test_the_tables_of_a_folder_are_listed_with_a_score(tmp_path: Path) -> None:
    table(rows=60).to_csv(tmp_path / "weekly sales.csv", index=False)
    pd.DataFrame({"a": [1, 2], "b": [3, 4]}).to_parquet(tmp_path / "lookup.parquet")
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04junk")
    (tmp_path / "notes.md").write_text("hello")
    best, *others = find_candidates(tmp_path)
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
        find_candidates(tmp_path)
