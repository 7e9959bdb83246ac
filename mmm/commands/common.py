"""What the commands share: options, overrides, and errors without tracebacks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from contract.exceptions import ConfigError, MMMError
from contract.loading import parse_yaml
from contract.printable import short

DEFAULT_BUCKET = ".mmm/bucket"
DEFAULT_TOPIC = ".mmm/events.jsonl"
DEFAULT_REQUESTS = ".mmm/requests.jsonl"

Bucket = Annotated[
    str,
    typer.Option(envvar="MMM_BUCKET", help="gs://BUCKET or a folder.", show_default=True),
]
Topic = Annotated[
    str,
    typer.Option(
        envvar="MMM_EVENTS_TOPIC", help="projects/P/topics/T or a .jsonl file.", show_default=True
    ),
]
Overrides = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Override a config field, e.g. --set training.trials=2. May be repeated.",
    ),
]


def parse_overrides(assignments: list[str]) -> dict[str, Any]:
    """`["training.trials=2"]` as {"training": {"trials": 2}}; values are YAML.

    Raises:
        ConfigError: an assignment is not FIELD=VALUE.
    """
    merged: dict[str, Any] = {}
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals or not path.strip():
            raise ConfigError(
                f"`--set {short(assignment)}` is not FIELD=VALUE, e.g. training.trials=2"
            )
        place = merged
        *parents, leaf = path.strip().split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise ConfigError(
                    f"`--set {short(assignment)}`: `{short(parent)}` was given a value before"
                )
        place[leaf] = parse_yaml(text, what=f"the value of `--set {short(path)}`")
    return merged


@contextmanager
def told_plainly() -> Iterator[None]:
    """Print our errors as sentences and leave with their code; MMM_TRACEBACK=1 shows all."""
    try:
        yield
    except MMMError as error:
        if os.environ.get("MMM_TRACEBACK"):
            raise
        problems = error.problems if isinstance(error, ConfigError) else [error.message]
        for problem in problems:
            print(f"error: {problem}", file=sys.stderr)
        raise typer.Exit(error.exit_code) from None
