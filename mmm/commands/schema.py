"""`mmm schema`: print the JSON Schema of a document that this project reads or writes."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from mmm.commands.common import one_of, report_errors

DOCUMENTS = ("config", "request", "event", "manifest", "proposal", "compare")


def command(
    document: Annotated[
        str,
        typer.Argument(
            metavar="DOCUMENT",
            help="config, request, event, manifest, proposal or compare.",
            autocompletion=lambda: list(DOCUMENTS),
        ),
    ] = "config",
) -> None:
    """Print a JSON Schema.

    Editors use it to check configs; programs use it to check requests, events, manifests, and the
    output of `mmm init --json` and `mmm compare --json`.
    """
    with report_errors():
        one_of(document, DOCUMENTS, name="DOCUMENT")
    from mmm.schemas import json_schema

    print(json.dumps(json_schema(document), indent=2))
