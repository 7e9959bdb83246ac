"""Write the proposal as YAML; a comment gives the reason for each line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from contract.config import Aggregation, Weekday
from contract.exceptions import ConfigError, DataError
from contract.numbers import NumberFormat, Numbers
from contract.suggest import did_you_mean
from job.sources.number_texts import flow
from job.sources.plan import Role, default_aggregation
from job.sources.schema import Kind
from job.sources.time_zones import ZONES
from mmm.propose import vocabulary
from mmm.propose.days import read_days
from mmm.propose.profiles import frequency
from mmm.propose.rules import Channel, ColumnProfile, Guess, pair_channels
from mmm.propose.vocabulary import split_words

_MAX_VALUES = 6
_NUMBER_ROLES = ("target", "spend", "exposure", "organic", "context")
_ROLE: dict[str, Role] = {"organic": "organic", "context": "context", "factor": "factor"}


def write_proposal(
    guesses: list[Guess],
    profiles: list[ColumnProfile],
    frame: pd.DataFrame,
    source: dict[str, Any],
    *,
    market: str,
    revision: str,
    source_name: str,
    source_notes: Sequence[str] = (),
    zone: str | None = None,
) -> str:
    """Return the proposal as YAML.

    Args:
        guesses: The role of each column.
        profiles: The profile of each column, in the same order.
        frame: The sample of rows.
        source: The source, as in a config.
        market: The market's code.
        revision: The name of this version of the model.
        source_name: The source's description.
        source_notes: Comments on the source.
        zone: The time zone that the user has set.

    Raises:
        DataError: The date, the target or the channels are missing.
        ConfigError: The table has other markets but not this one.
    """
    roles: dict[str, list[Guess]] = {}
    for guess in guesses:
        roles.setdefault(guess.role or "", []).append(guess)
    channels, unpaired = pair_channels(guesses, profiles)
    _check_complete(roles, channels, unpaired, source_name)
    day, target = roles["date"][0], roles["target"][0]
    by_name = {profile.name: profile for profile in profiles}
    chosen, comments = _choose_rows(source, roles, frame, market)
    lines = [
        f"# Proposed from {source_name}. Review every line: the rules only see names and values.",
        "version: 1",
        f"market: {_quoted(market)}",
        f"revision: {_quoted(revision)}",
        f"source: {_inline_mapping(chosen)}",
        *(f"  # {note}" for note in source_notes),
        *comments,
        *_date_lines(day, by_name[day.column], frame, market, zone),
        *_number_lines(guesses, by_name),
        *_target_lines(target),
        "channels:",
        *_channel_lines(channels, {guess.column: guess.reason for guess in guesses}),
    ]
    without_spend = [
        Guess(column=name, role="organic", reason="CHECK: is an exposure without a spend")
        for name in unpaired
    ]
    averaged = _averaged_context(roles, by_name, frame, day.column)
    lines += _column_lines("organic", roles.get("organic", []) + without_spend, averaged)
    lines += _column_lines("context", roles.get("context", []), averaged)
    lines += _column_lines("factor", roles.get("factor", []), averaged)
    if averaged:
        lines += [
            "aggregation:",
            *(f"  {_quoted(name)}: mean  # {reason}" for name, reason in averaged.items()),
        ]
    unused = roles.get("", []) + roles.get("country", [])[1:]
    if unused:
        lines.append("# Not used:")
        lines += [f"#   {_quoted(guess.column)}: {guess.reason}" for guess in unused]
    lines.append("training: {preset: test}  # then benchmark, then production")
    return "\n".join(lines) + "\n"


def _check_complete(
    roles: dict[str, list[Guess]], channels: list[Channel], unpaired: list[str], source_name: str
) -> None:
    missing = []
    if "date" not in roles:
        missing.append("no date column (needs dates, or text in one date format; use --date)")
    if "target" not in roles:
        missing.append(
            "no target (needs a name with revenue, sales, orders, conversions, …; use --target)"
        )
    if not channels:
        missing.append("no channel (needs names with _COST, _SPEND, … or a medium; use --spend)")
    if missing:
        lines = [f"{source_name} has {'; '.join(missing)}. Its columns:"]
        lines += [
            f"  {_quoted(guess.column)}: {guess.role or guess.reason}"
            for guesses in roles.values()
            for guess in guesses
            if guess.column not in unpaired
        ]
        lines += [f"  {_quoted(name)}: exposure without a spend" for name in unpaired]
        raise DataError("\n".join(lines))


def _date_lines(
    day: Guess, profile: ColumnProfile, frame: pd.DataFrame, market: str, zone: str | None
) -> list[str]:
    found = read_days(frame[day.column], profile.date_format, market)
    interval, weekday = frequency(found.days)
    daily = "  # rows are daily; `week` would aggregate them and is more stable"
    lines = ["date:", f"  column: {_quoted(day.column)}  # {day.reason}"]
    lines.append(f"  frequency: {interval}{daily if interval == 'day' else ''}")
    if profile.date_format and profile.date_format != "%Y-%m-%d":
        lines.append(f"  format: {_quoted(profile.date_format)}")
    if zone:
        lines.append(f"  timezone: {_quoted(zone)}  # set by an answer")
    elif found.zones:
        clocks = " and ".join(found.clocks)
        reason = f"all times are {clocks} UTC, which is midnight there"
        if ZONES[found.zones[0]] != market:
            others = ", ".join(found.zones[1:6])
            reason = f"CHECK: {reason}" + (f"; also in {others}" if others else "")
        lines.append(f"  timezone: {_quoted(found.zones[0])}  # {reason}")
    if weekday:
        lines.append(
            f"  week_start: {list(Weekday)[weekday].value}  # rows are dated on this weekday"
        )
    return lines


def _number_lines(guesses: list[Guess], by_name: dict[str, ColumnProfile]) -> list[str]:
    """Return the `numbers` block: one format if it reads every column, else one per column."""
    used = {g.column for g in guesses if g.role in _NUMBER_ROLES}
    formats = {
        name: by_name[name].numbers or NumberFormat()
        for name in by_name
        if name in used and by_name[name].kind is Kind.TEXT and by_name[name].numeric
    }
    needed = {name: one for name, one in formats.items() if one != NumberFormat()}
    if not needed:
        return []
    separators = {(one.decimal, one.thousands) for one in formats.values()}
    decimals = {decimal for decimal, _ in separators - {(".", None)}}
    thousands = {mark for _, mark in separators if mark}
    has_point = any(o == NumberFormat() and _has_point(by_name[n]) for n, o in formats.items())
    clash = has_point and ("," in decimals or "." in thousands)
    if len(decimals) <= 1 and len(thousands) <= 1 and not clash:
        merged = Numbers.model_validate(
            {
                "decimal": next(iter(decimals), "."),
                "thousands": next(iter(thousands), None),
                "symbols": list(dict.fromkeys(s for one in needed.values() for s in one.symbols)),
                "missing": list(dict.fromkeys(m for one in needed.values() for m in one.missing)),
                "parentheses": any(one.parentheses for one in needed.values()),
            }
        )
        lines = [f"numbers: {flow(merged)}  # as the text columns write numbers"]
    else:
        lines = ["numbers:  # as the text columns write numbers", "  columns:"]
        lines += [f"    {_quoted(name)}: {flow(one)}" for name, one in needed.items()]
    tokens = sorted({token for one in needed.values() for token in one.missing})
    if tokens:
        listed = ", ".join(f"`{token}`" for token in tokens)
        lines.append(f"  # CHECK: {listed} is read as missing; list it under `zero` if it means 0")
    return lines


def _has_point(profile: ColumnProfile) -> bool:
    return any(end is not None and end != int(end) for end in (profile.lowest, profile.highest))


def _target_lines(target: Guess) -> list[str]:
    words = set(split_words(target.column))
    kind = "conversion" if words & vocabulary.CONVERSION else "revenue"
    other = "use revenue for money" if kind == "conversion" else "use conversion for counts"
    return [
        f"target: {{column: {_quoted(target.column)}, kind: {kind}}}  # {target.reason}; {other}"
    ]


def _channel_lines(channels: list[Channel], reasons: dict[str, str]) -> list[str]:
    lines = []
    for channel in channels:
        entry = {"name": channel.name, "spend": channel.spend}
        if channel.exposure:
            entry["exposure"] = channel.exposure
        note = reasons[channel.spend]
        if channel.is_guess:
            note += f"; CHECK: is `{channel.exposure}` its exposure?"
        if channel.others:
            note += f"; other exposures: {', '.join(f'`{name}`' for name in channel.others)}"
        lines.append(f"  - {_inline_mapping(entry)}  # {note}")
    return lines


def _column_lines(role: str, guesses: list[Guess], averaged: dict[str, str]) -> list[str]:
    if not guesses:
        return []
    lines = [f"{'factors' if role == 'factor' else role}:"]
    for guess in guesses:
        default = default_aggregation(guess.column, _ROLE[role])
        aggregation = "mean" if guess.column in averaged else default.value
        note = "" if role == "factor" else f"; aggregated by {aggregation}"
        lines.append(f"  - {_quoted(guess.column)}  # {guess.reason}{note}")
    return lines


def _averaged_context(
    roles: dict[str, list[Guess]], by_name: dict[str, ColumnProfile], frame: pd.DataFrame, day: str
) -> dict[str, str]:
    """Return the context columns that need a mean instead of the default sum, with reasons."""
    averaged = {}
    for guess in roles.get("context", []):
        column, profile = guess.column, by_name[guess.column]
        if default_aggregation(column, "context") is not Aggregation.SUM:
            continue
        rows = pd.to_numeric(frame[column], errors="coerce").groupby(frame[day].astype(str))
        spans = rows.agg(["min", "max", "size"])
        spans = spans[spans["size"] > 1]
        if profile.is_flag:
            averaged[column] = "the values 0 and 1 cannot be summed"
        elif (profile.lowest or 0) < 0:
            averaged[column] = "negative values cannot be summed"
        elif len(spans) and (spans["min"] == spans["max"]).all():
            averaged[column] = "all rows of a date have the same value"
    return averaged


def _choose_rows(
    source: dict[str, Any], roles: dict[str, list[Guess]], frame: pd.DataFrame, market: str
) -> tuple[dict[str, Any], list[str]]:
    """Return (source that selects the market's rows, comments on the selection)."""
    if "country" not in roles or "country_column" in source:
        return source, []
    guess = roles["country"][0]
    column = guess.column
    values = sorted(str(value) for value in frame[column].dropna().unique())
    some = ", ".join(values[:_MAX_VALUES]) + (", …" if len(values) > _MAX_VALUES else "")
    if market in values:
        return {**source, "country_column": column}, [
            f"  # {_quoted(column)}: {guess.reason} ({some})"
        ]
    if len(values) == 1:
        only = {**source, "country_column": column, "country": values[0]}
        return only, [f"  # {_quoted(column)}: {guess.reason}; CHECK: is `{values[0]}` the market?"]
    if set(split_words(column)) & vocabulary.COUNTRY:
        raise ConfigError(
            f"market `{market}` is not in column `{column}`; it has {some}."
            f"{did_you_mean(market, values)}"
        )
    return source, [
        f"  # CHECK: the values of {_quoted(column)} ({some}) are summed; to use only one, add",
        f"  # country_column: {_quoted(column)}, country: {_quoted(values[0])}",
    ]


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _inline_mapping(values: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{key}: {_quoted(str(value))}" for key, value in values.items()) + "}"
