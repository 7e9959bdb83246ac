"""Options, overrides, result lines and error messages that the commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contract import environment
from contract.cloud_logging import entry
from contract.exceptions import ConfigError, MMMError
from contract.printable import one_line, short
from contract.suggest import did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

    from job.outputs.ledger import Decision

DEFAULT_BUCKET = ".mmm/bucket"
DEFAULT_TOPIC = ".mmm/events.jsonl"
_NO_WRAP = 10_000  # columns
DEFAULT_REQUESTS = ".mmm/requests.jsonl"

Bucket = Annotated[
    str,
    typer.Option(envvar=environment.BUCKET, help="gs://BUCKET or a folder.", show_default=True),
]
Topic = Annotated[
    str,
    typer.Option(
        envvar=environment.EVENTS_TOPIC,
        help="projects/P/topics/T or a .jsonl file.",
        show_default=True,
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
Reason = Annotated[str, typer.Option(help="Why, for those who read the ledger later.")]
DecidedBy = Annotated[
    str | None, typer.Option(help="Who decides; by default the user and machine.")
]
NewestRun = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, or a market for its newest run.")
]
CurrentRun = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, or a market for its current run.")
]
Revision = Annotated[str, typer.Option(help="Revision of a market.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def parse_overrides(assignments: list[str]) -> dict[str, Any]:
    """Return `["training.trials=2"]` as {"training": {"trials": 2}}; values are YAML.

    Raises:
        ConfigError: an assignment is not FIELD=VALUE.
    """
    from contract.documents import parse_yaml  # slow: imports pydantic, which help does not need

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
                    f"`--set {short(assignment)}`: another --set gives `{short(parent)}` a value, "
                    "so it cannot have fields"
                )
        place[leaf] = parse_yaml(text, what=f"the value of `--set {short(path)}`")
    return merged


def one_of(value: str, allowed: Sequence[str], *, name: str) -> str:
    """Return the value if it is allowed.

    Raises:
        ConfigError: the value is not allowed; the message lists the allowed values.
    """
    if value not in allowed:
        raise ConfigError(
            f"{name} is `{short(value)}`; allowed: {', '.join(allowed)}."
            f"{did_you_mean(value, allowed)}"
        )
    return value


def result_line(
    state: str, run_id: str, *, report_uri: str | None = None, message: str | None = None
) -> str:
    """Return `SUCCEEDED <run id> <path of the report>`, or the state and its reason, as one line.

    Of several faults it has the first; the log has all.
    """
    first, *others = (message or "").splitlines() or [""]
    more = f"(and {len(others)} more, see the log)" if others else ""
    path = (report_uri or "").removeprefix("file://")
    hint = "(trained before; use --force to train again)" if state == "DUPLICATE" else ""
    return " ".join(part for part in (state, run_id, first or path, more, hint) if part)


def print_decision(decision: Decision, *, as_json: bool) -> None:
    """Print a decision of the ledger: as JSON, or as one line."""
    if as_json:
        print(decision.to_json().decode())
        return
    done = {"promote": "PROMOTED", "hold": "HELD", "rollback": "ROLLED BACK"}[decision.action]
    following = decision.evidence.get("next")
    current = decision.run_id if decision.action == "promote" else following
    place = f"market {decision.market}, revision {decision.revision}"
    more = f"; current is {current}" if current else ""
    print(one_line(f"{done} {decision.run_id} ({place}{more})"))


def print_verdict(run_id: str, verdict: Mapping[str, Any] | None, held: Sequence[str]) -> None:
    """Print the verdict of a run's event and why it is held to stderr; stdout has the result."""
    lines = []
    if verdict:
        lines.append(f"verdict {verdict['verdict']}")
        lines += [f"  {f['level']}  {f['sentence']}" for f in verdict["findings"]]
    if held:
        lines += [
            "held; it does not become the market's current run",
            *(f"  {reason}" for reason in held),
        ]
        lines.append(f"  to accept it: mmm promote {run_id} --reason TEXT")
    for line in lines:
        print(one_line(line), file=sys.stderr, flush=True)


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows of cells in columns, the first row is the header; invisible characters escaped.

    At a terminal that is too narrow, each row is a block of lines, one for each cell.
    """
    safe = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in safe) for column in range(len(safe[0]))]
    if sys.stdout.isatty() and sum(widths) + 2 * len(widths) > get_terminal_size().columns:
        header, *records = safe
        width = max(len(name) for name in header)
        blocks = (
            [f"{name:<{width}}  {cell}" for name, cell in zip(header, row, strict=True) if cell]
            for row in records
        )
        print("\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks))
        return
    for row in safe:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def text_console() -> Console:
    """Return a console for text that is already safe; only a terminal has a width to wrap at."""
    from rich.console import Console  # slow

    width = None if sys.stdout.isatty() else _NO_WRAP
    return Console(width=width, markup=False, emoji=False, highlight=False)


@contextmanager
def report_errors(*, as_json: bool = False) -> Iterator[None]:
    """Print this project's errors as messages and exit with their code.

    If MMM_TRACEBACK=1 is set, the traceback is shown instead.
    """
    try:
        yield
    except MMMError as error:
        if os.environ.get(environment.TRACEBACK):
            raise
        problems = error.problems if isinstance(error, ConfigError) else [error.message]
        for problem in problems:
            line = entry("error", problem, labels={}) if as_json else f"error: {problem}"
            print(line, file=sys.stderr)
        raise typer.Exit(error.exit_code) from None
