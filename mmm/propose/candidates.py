"""Rank the tables of a place by how well they can be modelled."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from contract.exceptions import MMMError
from job.sources.extract import open_source
from mmm.propose.days import read_days
from mmm.propose.places import MAX_TABLES
from mmm.propose.profiles import SAMPLE_ROWS, frequency
from mmm.propose.questions import Option, Question
from mmm.propose.rules import guess_roles, pair_channels
from mmm.propose.table import Table, parse_source, read_table

_MIN_PERIODS = 40  # the default of `gate.min_rows`
_MAX_BYTES = 2**30  # BigQuery bills a sample by all bytes of its table
_SESSIONS = 4


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A table that may be modelled.

    Attributes:
        name: what `--answer table=` takes.
        source: the source, as in a config.
        command: the command that continues with it.
        score: from 0 to 100; 100 has a date, a target, channels and enough periods.
        facts: its rows, its dates and what it lacks, or why it cannot be read.
    """

    name: str
    source: dict[str, Any]
    command: str
    score: int
    facts: str


def rank(
    sources: dict[str, dict[str, Any]], *, env: dict[str, str] | None = None
) -> list[Candidate]:
    """Read a sample of each table; return the candidates, the highest score first."""
    first = list(sources.items())[:MAX_TABLES]
    is_local = any("path" in source for _, source in first)
    with ThreadPoolExecutor(1 if is_local else _SESSIONS) as sessions:
        found = list(sessions.map(partial(_candidate, env=env), *zip(*first, strict=True)))
    return sorted(found, key=lambda one: (-one.score, one.command))


def show(candidates: Sequence[Candidate]) -> str:
    """Return the list of candidates as text."""
    lines = []
    for one in candidates:
        lines += [f"{one.score:>3}  {one.command}", f"     {one.facts}"]
    if len(candidates) == MAX_TABLES:
        lines.append(f"Only the first {MAX_TABLES} tables are listed; name another with --table.")
    return "\n".join(lines) + "\n"


def question(candidates: Sequence[Candidate]) -> Question:
    """Return the question which of the candidates to use."""
    best = candidates[0]
    rivals = [one for one in candidates if one.score == best.score]
    return Question(
        id="table",
        text="Which table?",
        options=[
            Option(value=one.name, label=f"score {one.score}: {one.facts}") for one in candidates
        ],
        default=best.name if best.score == 100 and len(rivals) == 1 else None,
    )


def _candidate(
    name: str, source: dict[str, Any], *, env: dict[str, str] | None = None
) -> Candidate:
    parts = ["mmm", "init", source["path"]] if "path" in source else ["mmm", "init"]
    if "path" not in source:
        parts += ["--type", source["type"]]
    if "table" in source:
        parts += ["--table", source["table"]]
    try:
        unread = _too_large(source, env) if source["type"] == "bigquery" else None
        score, facts = (0, unread) if unread else _facts(read_table(source, env=env, count=True))
    except MMMError as error:
        score, facts = 0, error.message.splitlines()[0][:200]
    command = shlex.join(parts)
    return Candidate(name=name, source=source, command=command, score=score, facts=facts)


def _too_large(source: dict[str, Any], env: dict[str, str] | None) -> str | None:
    """Return why a table of BigQuery is not read, if a sample of it costs too much."""
    from job.sources.bigquery import BigQuery

    with TemporaryDirectory() as folder:
        checked = parse_source(source)
        warehouse = open_source(checked, run_id="init", env=env, folder=Path(folder))
        with closing(warehouse):
            size = warehouse.bytes_to_read() if isinstance(warehouse, BigQuery) else 0
    if size <= _MAX_BYTES:
        return None
    return f"not read: BigQuery would bill {size / 2**30:,.1f} GiB for it (allowed: 1 GiB)"


def _facts(table: Table) -> tuple[int, str]:
    """Return (the score, the rows, dates and what is missing)."""
    guesses = guess_roles(table.profiles)
    is_sample = table.rows > len(table.frame)
    facts = [f"{table.rows:,} row{'s' if table.rows != 1 else ''}"]
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
            sample = f" in a sample of {SAMPLE_ROWS:,} rows" if is_sample else ""
            facts.append(f"one per {interval} from {days[0]} to {days[-1]}{sample}")
            score += 10 * (len(days) >= _MIN_PERIODS)
    target = next((g.column for g in guesses if g.role == "target"), None)
    channels = len(pair_channels(guesses, table.profiles)[0])
    score += 30 * (target is not None) + 30 * (channels > 0)
    facts += [f"target `{target}`"] if target else []
    facts += [f"{channels} channels"] if channels else []
    missing += [] if target else ["target"]
    missing += [] if channels else ["channel"]
    return score, ", ".join(facts) + (f"; it has no {' or '.join(missing)}" if missing else "")
