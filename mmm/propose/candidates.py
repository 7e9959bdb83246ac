"""Find the tables of a folder or a DuckDB file that may be modelled, the likeliest first."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from contract.exceptions import DataError, MMMError
from mmm.propose.days import read_days
from mmm.propose.profiles import SAMPLE_ROWS, frequency
from mmm.propose.rules import guess_roles, pair_channels
from mmm.propose.table import Table, read_table

MAX_TABLES = 50
DATABASES = (".duckdb", ".db")
_FILES = (".csv", ".tsv", ".gz", ".parquet", ".pq", ".xlsx", ".xlsm", ".xls")
_MIN_PERIODS = 40  # the default of `gate.min_rows`


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A table that may be modelled.

    Attributes:
        source: the source, as in a config.
        command: the command that continues with it.
        score: from 0 to 100; 100 has a date, a target, channels and enough periods.
        facts: its rows, its dates and what it lacks, or why it cannot be read.
    """

    source: dict[str, Any]
    command: str
    score: int
    facts: str


def find_candidates(path: Path) -> list[Candidate]:
    """Return the tables of a folder or a DuckDB file, the highest score first.

    Raises:
        DataError: There is no table.
    """
    sources = _tables(path) if path.is_file() else _files(path)
    if not sources:
        raise DataError(f"`{path}` has no table; allowed: files that end with {', '.join(_FILES)}")
    found = [_candidate(source) for source in sources[:MAX_TABLES]]
    return sorted(found, key=lambda one: (-one.score, one.command))


def show(candidates: Sequence[Candidate]) -> str:
    """Return the list of candidates as text."""
    lines = []
    for one in candidates:
        lines += [f"{one.score:>3}  {one.command}", f"     {one.facts}"]
    return "\n".join(lines) + "\n"


def _files(folder: Path) -> list[dict[str, Any]]:
    sources: list[dict[str, Any]] = []
    for file in sorted(folder.iterdir()):
        if not file.is_file() or file.name.startswith((".", "~$")):
            continue
        if file.suffix.lower() in _FILES:
            sources.append({"type": "file", "path": str(file)})
        elif file.suffix.lower() in DATABASES:
            sources += _tables(file)
    return sources


def _tables(file: Path) -> list[dict[str, Any]]:
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            rows = connection.execute(
                "SELECT table_schema, table_name FROM information_schema.tables "
                "ORDER BY ALL LIMIT ?",
                [MAX_TABLES],
            ).fetchall()
    except duckdb.Error as error:
        raise DataError(f"`{file}` is not a DuckDB file: {str(error).splitlines()[0]}") from None
    return [
        {"type": "duckdb", "path": str(file), "table": f"{_quoted(schema)}.{_quoted(name)}"}
        for schema, name in rows
    ]


def _quoted(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else f'"{name}"'


def _candidate(source: dict[str, Any]) -> Candidate:
    parts = ["mmm", "init", source["path"]]
    if "table" in source:
        parts += ["--table", source["table"]]
    try:
        score, facts = _facts(read_table(source))
    except MMMError as error:
        score, facts = 0, error.message.splitlines()[0][:200]
    return Candidate(source=source, command=shlex.join(parts), score=score, facts=facts)


def _facts(table: Table) -> tuple[int, str]:
    """Return (the score, the rows, dates and what is missing)."""
    guesses = guess_roles(table.profiles)
    rows = len(table.frame)
    facts = [f"{rows:,}{' or more' if rows == SAMPLE_ROWS else ''} rows"]
    missing = []
    score = 0
    date = next((g.column for g in guesses if g.role == "date"), None)
    if date is None:
        missing.append("date")
    else:
        date_format = next(c.date_format for c in table.profiles if c.name == date)
        days = sorted(set(read_days(table.frame[date], date_format, "").days))
        score += 30
        if days:
            interval = frequency(days)[0]
            facts.append(f"one per {interval} from {days[0]} to {days[-1]}")
            score += 10 * (len(days) >= _MIN_PERIODS)
    target = next((g.column for g in guesses if g.role == "target"), None)
    channels = len(pair_channels(guesses, table.profiles)[0])
    score += 30 * (target is not None) + 30 * (channels > 0)
    facts += [f"target `{target}`"] if target else []
    facts += [f"{channels} channels"] if channels else []
    missing += [] if target else ["target"]
    missing += [] if channels else ["channel"]
    return score, ", ".join(facts) + (f"; it has no {' or '.join(missing)}" if missing else "")
