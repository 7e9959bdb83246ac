"""Explain why a document is refused: the field's path, its value and the allowed values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from contract.allowed_values import Node, fields_of, is_text, locate, one_of, size, tags_of, words
from contract.faults import MAX_FAULTS, FaultsError, Place, path_of
from contract.printable import short
from contract.suggest import did_you_mean

MAX_PATH = 200


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One sentence about a place in a document."""

    place: Place
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Problems:
    """The problems of a document. `more` counts those that are not shown, None if not counted."""

    shown: list[Problem]
    more: int | None

    def sentences(self) -> list[str]:
        """Return the sentences to print, one per problem."""
        made = [problem.sentence for problem in self.shown]
        if self.more == 0:
            return made
        return [*made, f"There are {self.more or ''} more faults.".replace("  ", " ")]


def explain(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return one sentence for each of the first faults.

    >>> from contract.training import Training
    >>> try:
    ...     Training.model_validate({"trials": 0})
    ... except ValidationError as error:
    ...     print(explain(error, Training)[0])
    `trials` is `0`; allowed: a whole number from 1 to 100.
    """
    return problems(error, model).sentences()


def problems(error: ValidationError, model: type[BaseModel]) -> Problems:
    """Return the first problems of a document; a union's faults at one place count as one."""
    errors = error.errors(include_url=False)
    found: dict[str, Problem] = {}
    for number, details in enumerate(errors):
        if len(found) >= MAX_FAULTS:
            return Problems(shown=list(found.values())[:MAX_FAULTS], more=len(errors) - number)
        found |= {problem.sentence: problem for problem in _problems(details, model)}
    causes = [details.get("ctx", {}).get("error") for details in errors]
    truncated = any(isinstance(cause, FaultsError) and cause.more for cause in causes)
    return Problems(shown=list(found.values())[:MAX_FAULTS], more=None if truncated else 0)


def name_of(place: Place) -> str:
    """Return a place's path, printable and short enough for a message."""
    path = path_of(tuple(short(part) if isinstance(part, str) else part for part in place))
    return path if len(path) <= MAX_PATH else f"{path[:MAX_PATH]}…"


def _problems(details: ErrorDetails, model: type[BaseModel]) -> Iterator[Problem]:
    place, node = locate(model, details["loc"])
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, FaultsError):
        for fault in cause.faults:
            at = (*place, *fault.at)
            yield Problem(place=at, sentence=f"`{name_of(at)}` {_ended(fault.problem)}")
    else:
        sentence = _sentence(details, model, place, node)
        yield Problem(place=place, sentence=_ended(sentence))


def _sentence(details: ErrorDetails, model: type[BaseModel], place: Place, node: Node) -> str:
    path, kind, value = name_of(place), details["type"], details.get("input")
    context = details.get("ctx", {})
    if kind == "extra_forbidden":
        _, parent = locate(model, details["loc"][:-1])
        fields = fields_of(parent)
        hint = did_you_mean(str(place[-1]), fields) or f" Allowed: {', '.join(sorted(fields))}."
        return f"`{path}` is not a known field.{hint}"
    if kind == "missing":
        return f"`{path}` is missing; it is required"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        tags, tag = tags_of(node), context.get("tag")
        given = "is missing" if tag is None else f"is {_show(tag)}"
        hint = did_you_mean(str(tag), tags)
        return f"`{path}.type` {given}; allowed: {', '.join(tags)}.{hint}"
    if kind in ("too_long", "too_short"):
        return f"`{path}` has {_items(context.get('actual_length'))}; allowed: {size(node)}"
    if kind in ("string_too_long", "string_too_short") and isinstance(value, str):
        return f"`{path}` has {len(value)} characters; allowed: {words(node)}"
    if kind == "value_error":
        message = str(context.get("error", details["msg"]))
        return f"`{path}`: {message}" if path else message
    allowed = words(node) or details["msg"][0].lower() + details["msg"][1:]
    subject = f"`{path}` is" if path else "it is"
    return f"{subject} {_show(value)}; allowed: {allowed}.{_hint(value, node)}"


def _hint(value: Any, node: Node) -> str:
    if isinstance(value, str):
        return did_you_mean(value, one_of(node))
    if is_text(node) and isinstance(value, bool | int | float | date):
        return f' Write it in quotes to make it text: "{_show(value)[1:-1]}".'
    return ""


def _items(number: Any) -> str:
    return "1 item" if number == 1 else f"{number} items"


def _show(value: Any) -> str:
    text = str(value) if isinstance(value, str | date) else json.dumps(value, default=str)
    return f"`{short(text)}`"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?", "…")) else f"{sentence}."
