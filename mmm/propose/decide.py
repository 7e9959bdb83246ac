"""Decide what a proposal says: guess, find what the guess is unsure of, and apply the answers."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from contract.numbers import NumberFormat
from job.sources.date_texts import FORMATS, parse_day
from job.sources.time_zones import ZONES
from mmm.propose import vocabulary
from mmm.propose.days import read_days
from mmm.propose.profiles import present_texts
from mmm.propose.questions import Example, Option, Question
from mmm.propose.rules import (
    ColumnProfile,
    Guess,
    KnownColumns,
    guess_roles,
    pair_channels,
    target_candidates,
)
from mmm.propose.table import Table

UNUSED, ALL = "unused", "all"
_MAX_OPTIONS = 40
_EXAMPLES = 3
_ROLES = {
    "spend": "money spent on a channel",
    "exposure": "impressions, clicks or GRPs of a channel",
    "organic": "media that is not paid for",
    "context": "another influence, such as a price",
    UNUSED: "leave it out",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decisions:
    """What a proposal is written from, after the answers.

    Attributes:
        profiles: the profile of each column.
        guesses: the role of each column.
        source: the source, with the rows of the market.
        market: the market's code.
        zone: the time zone that was answered.
        questions: all questions, answered or not.
    """

    profiles: list[ColumnProfile]
    guesses: list[Guess]
    source: dict[str, Any]
    market: str
    zone: str | None
    questions: list[Question]


def decide(table: Table, known: KnownColumns, market: str, answers: Mapping[str, str]) -> Decisions:
    """Guess the roles of a table's columns, and find the questions; apply the answers."""
    asked = list(table.questions)
    profiles = table.profiles

    def ask(question: Question | None) -> str | None:
        if question is None:
            return None
        answer = answers.get(question.id)
        allowed = {option.value for option in question.options}
        asked.append(question.model_copy(update={"answer": answer if answer in allowed else None}))
        return asked[-1].answer

    if name := ask(_date_question(profiles, known, table)):
        known = dataclasses.replace(known, date=name)
    day = _ambiguous_date(profiles, known)
    if day and (chosen := ask(_format_question(day, table))):
        profiles = _replaced(profiles, day, date_format=chosen, ambiguous=None, numeric=False)
        known = dataclasses.replace(known, date=day.name)
    for column in profiles:
        if column.unclear and (chosen := ask(_number_question(column))):
            numbers = _number_format(column, chosen)
            profiles = _replaced(profiles, column, numbers=numbers, unclear=None)
    if name := ask(_target_question(profiles, known, table)):
        known = dataclasses.replace(known, target=name)
    roles: dict[str, str] = {}
    for question in _role_questions(guess_roles(profiles, known), profiles, table):
        if answer := ask(question):
            roles[question.column or ""] = answer
    guesses = guess_roles(profiles, dataclasses.replace(known, roles={**roles, **known.roles}))
    source, market = _with_market(table, guesses, market, ask)
    zone = ask(_zone_question(guesses, profiles, table, market))
    return Decisions(
        profiles=profiles, guesses=guesses, source=source, market=market, zone=zone, questions=asked
    )


def _replaced(
    profiles: Sequence[ColumnProfile], column: ColumnProfile, **changes: Any
) -> list[ColumnProfile]:
    return [dataclasses.replace(c, **changes) if c.name == column.name else c for c in profiles]


def _date_question(
    profiles: Sequence[ColumnProfile], known: KnownColumns, table: Table
) -> Question | None:
    named = [c for c in profiles if c.is_date and set(c.words) & vocabulary.DATE]
    if known.date or len(named) < 2:
        return None
    best = min(named, key=lambda c: len(c.words))
    return Question(
        id="date",
        text="Which column has the date of a row?",
        options=[Option(value=c.name, label=_some(table, c.name)) for c in named[:_MAX_OPTIONS]],
        default=best.name,
    )


def _ambiguous_date(profiles: Sequence[ColumnProfile], known: KnownColumns) -> ColumnProfile | None:
    unclear = [c for c in profiles if c.ambiguous]
    if known.date:
        return next((c for c in unclear if c.name == known.date), None)
    return None if any(c.is_date for c in profiles) else next(iter(unclear), None)


def _format_question(column: ColumnProfile, table: Table) -> Question | None:
    texts = list(present_texts(table.frame[column.name])[:500])
    fitting = {
        one: days
        for one in FORMATS
        if len(days := [d for text in texts if (d := parse_day(text, one))]) >= 0.95 * len(texts)
    }
    if len(fitting) < 2:
        return None
    return Question(
        id=f"date.format:{column.name}",
        text=f"How does `{column.name}` write dates?",
        column=column.name,
        options=[
            Option(value=one, label=f"`{texts[0]}` is {parse_day(texts[0], one) or 'no date'}")
            for one in fitting
        ],
        default=None,
        examples=table.examples(column.name, _EXAMPLES),
    )


def _number_question(column: ColumnProfile) -> Question:
    return Question(
        id=f"numbers:{column.name}",
        text=f"How does `{column.name}` write numbers?",
        column=column.name,
        options=[
            Option(value="decimal", label=f"`{column.unclear}` has decimals"),
            Option(value="thousands", label=f"`{column.unclear}` has thousands"),
        ],
        default="decimal" if column.numbers is not None else None,
        examples=[Example(value=column.unclear or "")],
    )


def _number_format(column: ColumnProfile, answer: str) -> NumberFormat:
    mark = "," if "," in (column.unclear or "") else "."
    other = "." if mark == "," else ","
    separators = (mark, None) if answer == "decimal" else (other, mark)
    base = (column.numbers or NumberFormat()).model_dump()
    return NumberFormat.model_validate(
        base | {"decimal": separators[0], "thousands": separators[1]}
    )


def _target_question(
    profiles: Sequence[ColumnProfile], known: KnownColumns, table: Table
) -> Question | None:
    if known.target:
        return None
    candidates = [c for c in target_candidates(profiles) if c.name not in known.spends]
    default = candidates[0].name if candidates else None
    if not candidates:
        taken = {g.column for g in guess_roles(profiles, known) if g.role not in ("context", None)}
        candidates = [c for c in profiles if c.numeric and c.distinct > 2 and c.name not in taken]
    if len(candidates) < (2 if default else 1):
        return None
    return Question(
        id="target",
        text="Which column is the target, e.g. revenue or orders?",
        options=[
            Option(value=c.name, label=_some(table, c.name)) for c in candidates[:_MAX_OPTIONS]
        ],
        default=default,
    )


def _role_questions(
    guesses: Sequence[Guess], profiles: Sequence[ColumnProfile], table: Table
) -> list[Question]:
    channels, unpaired = pair_channels(guesses, profiles)
    numeric = {c.name for c in profiles if c.numeric}
    questions = []
    for guess in guesses:
        name, role = guess.column, guess.role or UNUSED
        unsure = guess.reason.startswith("CHECK") or (not channels and role == "context")
        if name in unpaired:
            role, unsure = "organic", True
        if not unsure or name not in numeric or role in ("date", "target", "country"):
            continue
        reason = guess.reason.removeprefix("CHECK: ")
        why = "an exposure without a spend" if name in unpaired else reason
        questions.append(
            Question(
                id=f"role:{name}",
                text=f"What is `{name}`? ({why})",
                column=name,
                options=[Option(value=value, label=label) for value, label in _ROLES.items()],
                default=role if role in _ROLES else UNUSED,
                examples=table.examples(name, _EXAMPLES),
            )
        )
    return questions


def _with_market(
    table: Table,
    guesses: Sequence[Guess],
    market: str,
    ask: Callable[[Question | None], str | None],
) -> tuple[dict[str, Any], str]:
    """Return (the source with the rows of the market that was answered, the market's code)."""
    column = next((g.column for g in guesses if g.role == "country"), None)
    if column is None or "country_column" in table.source:
        return table.source, market
    values = sorted(str(value) for value in table.frame[column].dropna().unique())
    if market in values or len(values) < 2:
        return table.source, market
    is_region = not set(vocabulary.split_words(column)) & vocabulary.COUNTRY
    options = [Option(value=v, label=f"the rows of {v}") for v in values[:_MAX_OPTIONS]]
    if is_region:
        options = [Option(value=ALL, label="all rows, summed"), *options]
    answer = ask(
        Question(
            id="market",
            text=f"Which rows shall the model use, by `{column}`?",
            column=column,
            options=options,
            default=ALL if is_region else None,
        )
    )
    if answer is None or answer == ALL:
        return table.source, market
    if market == "XX" and re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]*", answer):
        return {**table.source, "country_column": column}, answer
    return {**table.source, "country_column": column, "country": answer}, market


def _zone_question(
    guesses: Sequence[Guess], profiles: Sequence[ColumnProfile], table: Table, market: str
) -> Question | None:
    name = next((g.column for g in guesses if g.role == "date"), None)
    if name is None:
        return None
    date_format = next(c.date_format for c in profiles if c.name == name)
    zones = read_days(table.frame[name], date_format, market).zones
    if not zones or ZONES[zones[0]] == market:
        return None
    return Question(
        id="date.timezone",
        text=f"In which time zone do the days of `{name}` begin?",
        column=name,
        options=[
            *(Option(value=zone, label="all times are midnight there") for zone in zones[:12]),
            Option(value="UTC", label="the days as written"),
        ],
        default=zones[0],
        examples=table.examples(name, _EXAMPLES),
    )


def _some(table: Table, column: str) -> str:
    values = ", ".join(example.value for example in table.examples(column, _EXAMPLES))
    return f"e.g. {values}"
