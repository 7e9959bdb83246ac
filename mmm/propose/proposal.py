"""The proposal as text: every line names the rule that made it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pandas as pd

from contract.config import Aggregation, Weekday
from contract.exceptions import ConfigError, DataError
from contract.suggest import did_you_mean
from job.sources.plan import Role, default_aggregation
from mmm.propose import words as known
from mmm.propose.look import frequency, read_day
from mmm.propose.rules import Guess, Pair, Seen, pair
from mmm.propose.words import split

_SHOWN = 6
_ROLE: dict[str, Role] = {"organic": "organic", "context": "context", "factor": "factor"}


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
    """The proposal; `guesses` and `seen` are of the same columns, `frame` is the sample.

    Raises:
        DataError: date, target or channels are missing.
        ConfigError: the table has countries, but not the market.
    """
    roles: dict[str, list[Guess]] = {}
    for one in guesses:
        roles.setdefault(one.role or "", []).append(one)
    pairs, lonely = pair(guesses, seen)
    _require(roles, pairs, lonely, of)
    day, target = roles["date"][0], roles["target"][0]
    figures = {column.name: column for column in seen}
    chosen, country = _country(source, roles, frame, market)
    lines = [
        f"# Proposed from {of}. Review every line: rules know names, not your business.",
        "version: 1",
        f"market: {_text(market)}",
        f"revision: {_text(revision)}",
        f"source: {_flow(chosen)}",
        *country,
        *_date(day, figures[day.column], frame),
        *_target(target),
        "channels:",
        *_channels(pairs, {one.column: one.why for one in guesses}),
    ]
    free = [
        Guess(column=name, role="organic", why="CHECK: an exposure without a spend")
        for name in lonely
    ]
    odd = _aggregation(roles, figures, frame, day.column)
    lines += _columns("organic", roles.get("organic", []) + free, odd)
    lines += _columns("context", roles.get("context", []), odd)
    lines += _columns("factor", roles.get("factor", []), odd)
    if odd:
        lines += ["aggregation:", *(f"  {_text(name)}: mean  # {why}" for name, why in odd.items())]
    left = roles.get("", []) + roles.get("country", [])[1:]
    if left:
        lines.append("# Left out:")
        lines += [f"#   {_text(one.column)}: {one.why}" for one in left]
    lines.append("training: {preset: test}  # then benchmark, then production")
    return "\n".join(lines) + "\n"


def _require(roles: dict[str, list[Guess]], pairs: list[Pair], lonely: list[str], of: str) -> None:
    missing = []
    if "date" not in roles:
        missing.append("a date column (dates, or texts that one format reads; else --date)")
    if "target" not in roles:
        missing.append(
            "a target (a name with revenue, sales, orders, conversions, …; else --target)"
        )
    if not pairs:
        missing.append("a channel (names with _COST, _SPEND, … or of a medium; else --spend)")
    if missing:
        told = [f"{of} has not {'; nor '.join(missing)}."]
        told += [
            f"  {_text(one.column)}: {one.why if one.role is None else one.role}"
            for found in roles.values()
            for one in found
            if one.column not in lonely
        ]
        told += [f"  {_text(name)}: an exposure; what did it cost?" for name in lonely]
        raise DataError("\n".join(told))


def _date(day: Guess, figures: Seen, frame: pd.DataFrame) -> list[str]:
    when, weekday = frequency(_days(frame[day.column], figures.date_format))
    daily = "  # rows are daily; `week` would join them, and is steadier"
    lines = ["date:", f"  column: {_text(day.column)}  # {day.why}"]
    lines.append(f"  frequency: {when}{daily if when == 'day' else ''}")
    if figures.date_format and figures.date_format != "%Y-%m-%d":
        lines.append(f"  format: {_text(figures.date_format)}")
    if weekday:
        lines.append(f"  week_start: {list(Weekday)[weekday].value}  # as the rows are dated")
    return lines


def _target(target: Guess) -> list[str]:
    words = set(split(target.column))
    kind = "conversion" if words & known.CONVERSION else "revenue"
    other = "revenue if it is money" if kind == "conversion" else "conversion if it is a count"
    return [f"target: {{column: {_text(target.column)}, kind: {kind}}}  # {target.why}; {other}"]


def _channels(pairs: list[Pair], why: dict[str, str]) -> list[str]:
    lines = []
    for one in pairs:
        entry = {"name": one.name, "spend": one.spend}
        if one.exposure:
            entry["exposure"] = one.exposure
        note = why[one.spend]
        if one.others:
            note += f"; also exposures: {', '.join(f'`{name}`' for name in one.others)}"
        lines.append(f"  - {_flow(entry)}  # {note}")
    return lines


def _columns(role: str, found: list[Guess], odd: dict[str, str]) -> list[str]:
    if not found:
        return []
    lines = [f"{'factors' if role == 'factor' else role}:"]
    for one in found:
        how = "mean" if one.column in odd else default_aggregation(one.column, _ROLE[role]).value
        joined = "" if role == "factor" else f"; joined by {how}"
        lines.append(f"  - {_text(one.column)}  # {one.why}{joined}")
    return lines


def _aggregation(
    roles: dict[str, list[Guess]], figures: dict[str, Seen], frame: pd.DataFrame, day: str
) -> dict[str, str]:
    """Context that does not add up, though the default would sum it: column and reason."""
    odd = {}
    for one in roles.get("context", []):
        seen = figures[one.column]
        if default_aggregation(one.column, "context") is not Aggregation.SUM:
            continue
        rows = pd.to_numeric(frame[one.column], errors="coerce").groupby(frame[day].astype(str))
        spans = rows.agg(["min", "max", "size"])
        spans = spans[spans["size"] > 1]
        if seen.is_flag:
            odd[one.column] = "0 and 1 are no amounts"
        elif (seen.lowest or 0) < 0:
            odd[one.column] = "negative values are no amounts"
        elif len(spans) and (spans["min"] == spans["max"]).all():
            odd[one.column] = "the same in all rows of a date"
    return odd


def _country(
    source: dict[str, Any], roles: dict[str, list[Guess]], frame: pd.DataFrame, market: str
) -> tuple[dict[str, Any], list[str]]:
    """(source with a choice of rows, comments on it)."""
    if "country" not in roles or "country_column" in source:
        return source, []
    one = roles["country"][0]
    column = one.column
    values = sorted(str(value) for value in frame[column].dropna().unique())
    some = ", ".join(values[:_SHOWN]) + (", …" if len(values) > _SHOWN else "")
    if market in values:
        return {**source, "country_column": column}, [f"  # {_text(column)}: {one.why} ({some})"]
    if len(values) == 1:
        only = {**source, "country_column": column, "country": values[0]}
        return only, [f"  # {_text(column)}: {one.why}; CHECK: is `{values[0]}` the market?"]
    if set(split(column)) & known.COUNTRY:
        raise ConfigError(
            f"market `{market}` is not in column `{column}`; it has {some}."
            f"{did_you_mean(market, values)}"
        )
    return source, [
        f"  # CHECK: all rows of {_text(column)} ({some}) are summed; for one of them add",
        f"  # country_column: {_text(column)}, country: {_text(values[0])}",
    ]


def _days(values: pd.Series[Any], form: str | None) -> list[date]:
    there = values.dropna()
    if form is None:
        return [pd.Timestamp(value).date() for value in there]
    read = [read_day(str(value).strip(), form) for value in there]
    return [day for day in read if day]


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _flow(values: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{key}: {_text(str(value))}" for key, value in values.items()) + "}"
