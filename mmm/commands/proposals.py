"""Options of the commands that propose a config, and where the config goes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from contract.exceptions import ConfigError
from contract.printable import short

Answers = Annotated[
    list[str],
    typer.Option(
        "--answer",
        metavar="ID=VALUE",
        help="Answer a question, by its id in --json. May be repeated.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; take the default answers.")]
AsProposal = Annotated[
    bool, typer.Option("--json", help="Print the proposal and its questions as JSON.")
]
NewConfig = Annotated[
    Path | None, typer.Option(help="Write the config to this new file; folders are created.")
]


def parse_answers(assignments: list[str]) -> dict[str, str]:
    """Return `["target=revenue"]` as {"target": "revenue"}.

    Raises:
        ConfigError: an answer is not ID=VALUE.
    """
    answers = {}
    for assignment in assignments:
        name, equals, value = assignment.rpartition("=")
        if not equals or not name:
            raise ConfigError(
                f"`--answer {short(assignment)}` is not ID=VALUE, e.g. target=revenue"
            )
        answers[name] = value
    return answers


def write_new(text: str, output: Path | None) -> None:
    """Print a text, or write it to a new file.

    Raises:
        ConfigError: the file exists or cannot be written.
    """
    if output is None:
        print(text, end="")
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("x") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(
            f"`--output {output}` cannot be written: {error.strerror}; choose another path"
        ) from None
