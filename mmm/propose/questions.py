"""Questions about a proposal, and the document that `mmm init --json` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from contract.base import Strict
from contract.exceptions import ConfigError
from contract.suggest import did_you_mean


class Example(Strict):
    """A value that a question is about."""

    row: int | None = Field(default=None, description="Row of a file; the header is row 1.")
    value: str = Field(description="The value as text.")


class Option(Strict):
    """One possible answer."""

    value: str = Field(description="What `--answer ID=VALUE` takes.")
    label: str = Field(description="What the answer means.")
    change: dict[str, Any] | None = Field(
        default=None,
        description="JSON Merge Patch (RFC 7386) from `config` to the config with this answer; "
        "null if no config can be proposed with it, or if it needs another table.",
    )


class Question(Strict):
    """A choice that the rules cannot make with certainty."""

    id: str = Field(description="Identifies the question, e.g. `role:tv_viewers`.")
    text: str = Field(description="The question.")
    column: str | None = Field(default=None, description="The column that it is about.")
    options: list[Option] = Field(description="The possible answers.")
    default: str | None = Field(
        description="The answer that the proposal assumes; null if there is none to assume."
    )
    answer: str | None = Field(default=None, description="The answer that was given.")
    examples: list[Example] = Field(default=[], description="Values of the column.")


class Proposal(Strict):
    """What `mmm init --json` prints."""

    version: Literal[1] = Field(default=1, description="Version of this document.")
    config: dict[str, Any] | None = Field(description="The config; null if it is not complete.")
    yaml: str | None = Field(description="The config with comments, as `mmm init` prints it.")
    problem: str | None = Field(description="Why there is no config.")
    questions: list[Question] = Field(description="What the proposal is unsure of.")


def check_answers(answers: Mapping[str, str], questions: Sequence[Question]) -> None:
    """Refuse answers to questions that do not exist, and answers that are not allowed.

    Raises:
        ConfigError: One line for each wrong answer.
    """
    by_id = {question.id: question for question in questions}
    problems = []
    for name, value in answers.items():
        if name not in by_id:
            listed = ", ".join(by_id) or "none"
            hint = did_you_mean(name, list(by_id))
            problems.append(f"`--answer {name}={value}`: no such question; asked: {listed}.{hint}")
            continue
        allowed = [option.value for option in by_id[name].options]
        if value not in allowed:
            problems.append(
                f"`--answer {name}={value}`; allowed: {', '.join(allowed)}."
                f"{did_you_mean(value, allowed)}"
            )
    if problems:
        raise ConfigError(problems)


def merge_patch(before: Any, after: Any) -> Any:
    """Return the JSON Merge Patch (RFC 7386) that makes `after` from `before`.

    >>> merge_patch({"a": 1, "b": {"c": 2}}, {"b": {"c": 3}})
    {'a': None, 'b': {'c': 3}}
    """
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        if key not in before:
            patch[key] = value
        elif before[key] != value:
            patch[key] = merge_patch(before[key], value)
    return patch
