"""`mmm schema`: print the JSON Schema of a document that this project reads or writes."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from mmm.commands.common import one_of, report_errors

DOCUMENTS = (
    "config", "request", "event", "manifest", "proposal", "result", "plan", "check", "publish",
    "save", "status", "run", "logs", "open", "compare", "stability", "replay", "upgrade-check",
    "export", "budget", "decision", "pause", "dead-letters", "doctor",
)  # fmt: skip
# What a command prints with --json, if the document has another name.
PRINTED = {
    "run": "result", "serve": "result", "watch": "result", "cancel": "result", "list": "run",
    "show": "run", "init": "proposal", "import-config": "proposal", "promote": "decision",
    "hold": "decision", "rollback": "decision", "delete": "decision", "resume": "pause",
}  # fmt: skip


def command(
    document: Annotated[
        str,
        typer.Argument(
            metavar="DOCUMENT",
            help=f"{', '.join(DOCUMENTS[:-1])} or {DOCUMENTS[-1]}.",
            autocompletion=lambda: list(DOCUMENTS),
        ),
    ] = "config",
) -> None:
    """Print a JSON Schema.

    Editors use it to check configs; programs use it to check requests, events, manifests, and what
    commands print with --json: `result` of run, serve, watch and cancel; `run` of list and show;
    `proposal` of init and import-config; `decision` of promote, hold, rollback and delete; `pause`
    of pause and resume; the others have the name of their command.

    Example: mmm schema event > event.schema.json
    """
    with report_errors():
        one_of(document, DOCUMENTS, name="DOCUMENT")
    from mmm.schemas import json_schema

    print(json.dumps(json_schema(document), indent=2))
