"""`mmm init`: a proposal of a config from a table, query or file, for a person to review."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from pydantic import TypeAdapter

from contract.config import Weekday
from contract.exceptions import ConfigError, DataError
from contract.source import Source
from job.init.look import frequency, look
from job.init.rules import CONVERSION, Guess, Seen, guess, pair
from job.sources.extract import open_source
from job.sources.plan import default_aggregation

__all__ = ["init_config"]


def init_config(
    source: dict[str, Any], *, market: str, revision: str = "r1", env: dict[str, str] | None = None
) -> str:
    """A commented YAML config for a source given as in a config.

    Raises:
        DataError: there is no date column, no target or no channel to be found.
    """
    checked: Source = TypeAdapter(Source).validate_python(source)
    with (
        TemporaryDirectory() as folder,
        closing(open_source(checked, run_id="init", env=env, folder=Path(folder))) as warehouse,
    ):
        seen, frame = look(warehouse)
        description = warehouse.description
    return write(guess(seen), seen, frame, source, market=market, revision=revision, of=description)


def write(
    guesses: list[Guess],
    seen: list[Seen],
    frame: pd.DataFrame,
    source: dict[str, Any],
    *,
    market: str,
    revision: str,
    of: str,
) -> str:
    """The proposal as text; every line says which rule made it."""
    roles: dict[str, list[Guess]] = {}
    for one in guesses:
        roles.setdefault(one.role or "", []).append(one)
    pairs, lonely = pair(guesses, seen)
    _require(roles, pairs, of)
    day, target = roles["date"][0], roles["target"][0]
    form = next(column.date_format for column in seen if column.name == day.column)
    when, weekday = frequency(_days(frame[day.column], form))
    lines = [
        f"# Proposed from {of}. Review every line: rules know names, not your business.",
        "version: 1",
        f"market: {market}",
        f"revision: {revision}",
        f"source: {_flow(_with_country(source, roles, frame, market))}",
    ]
    lines += [f"  # {one.column}: {one.why}" for one in roles.get("country", [])]
    lines += ["date:", f"  column: {_text(day.column)}  # {day.why}", f"  frequency: {when}"]
    if form and form != "%Y-%m-%d":
        lines.append(f"  format: {_text(form)}")
    if weekday:
        lines.append(f"  week_start: {list(Weekday)[weekday].value}  # as the rows are dated")
    words = next(set(column.words) for column in seen if column.name == target.column)
    kind = "conversion" if words & CONVERSION else "revenue"
    lines.append(f"target: {{column: {_text(target.column)}, kind: {kind}}}  # {target.why}")
    lines.append("channels:")
    why = {one.column: one.why for one in guesses}
    for one_pair in pairs:
        entry = {"name": one_pair.name, "spend": one_pair.spend}
        if one_pair.exposure:
            entry["exposure"] = one_pair.exposure
        note = why[one_pair.spend]
        if one_pair.others:
            note += f"; also exposures: {', '.join(one_pair.others)}"
        lines.append(f"  - {_flow(entry)}  # {note}")
    for role in ("organic", "context", "factor"):
        lines += _columns(role, roles.get(role, []))
    left = [(g.column, g.why) for g in roles.get("", [])]
    left += [(name, "an exposure without a spend") for name in lonely]
    if left:
        lines.append("# Left out:")
        lines += [f"#   {_text(name)}: {reason}" for name, reason in left]
    lines.append("training: {preset: test}  # then benchmark, then production")
    return "\n".join(lines) + "\n"


def _require(roles: dict[str, list[Guess]], pairs: list[Any], of: str) -> None:
    missing = []
    if "date" not in roles:
        missing.append("a date column (dates, or texts that one format reads)")
    if "target" not in roles:
        missing.append("a target (a name with revenue, sales, orders, conversions, …)")
    if not pairs:
        missing.append("a channel (names with _COST, _SPEND, … or of a medium)")
    if missing:
        names = ", ".join(g.column for found in roles.values() for g in found)
        raise DataError(f"{of} has not {'; nor '.join(missing)}. Its columns: {names}")


def _columns(role: str, found: list[Guess]) -> list[str]:
    if not found:
        return []
    lines = [f"{'factors' if role == 'factor' else role}:"]
    for one in found:
        how = default_aggregation(one.column, "context" if role == "context" else "organic")
        joined = "" if role == "factor" else f"; joined by {how.value}"
        lines.append(f"  - {_text(one.column)}  # {one.why}{joined}")
    return lines


def _with_country(
    source: dict[str, Any], roles: dict[str, list[Guess]], frame: pd.DataFrame, market: str
) -> dict[str, Any]:
    if "country" not in roles or "country_column" in source:
        return source
    column = roles["country"][0].column
    values = sorted(str(value) for value in frame[column].dropna().unique())
    chosen = {**source, "country_column": column}
    if market not in values:
        if len(values) > 1:
            raise ConfigError(
                f"market `{market}` is not in column `{column}`; it has {', '.join(values[:20])}"
            )
        chosen["country"] = values[0]
    return chosen


def _days(values: pd.Series[Any], form: str | None) -> list[date]:
    there = values.dropna()
    if form is None:
        return [pd.Timestamp(value).date() for value in there]
    size = 10 if form == "%Y-%m-%d" else None
    read = [_day(str(value).strip()[:size], form) for value in there]
    return [day for day in read if day]


def _day(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).date()
    except ValueError:
        return None


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _flow(values: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{key}: {_text(str(value))}" for key, value in values.items()) + "}"
