"""`mmm publish CONFIG`: ask for a run by a message, as a person or a program would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from contract.loading import parse_document
from contract.message import parse_message
from contract.topics import open_topic
from job.attempt.request import read_config_text
from mmm.commands.common import DEFAULT_REQUESTS, Overrides, parse_overrides, told_plainly


def command(
    config: Annotated[
        str, typer.Argument(help="gs:// address, or a local file that is sent whole.")
    ],
    to: Annotated[
        str,
        typer.Option(
            envvar="MMM_REQUESTS_TOPIC",
            help="projects/P/topics/T or a .jsonl file.",
        ),
    ] = DEFAULT_REQUESTS,
    set_: Overrides = [],  # noqa: B006  typer reads the default, nobody changes it
    market: Annotated[list[str], typer.Option(help="One run for each; may be repeated.")] = [],  # noqa: B006
    key: Annotated[str | None, typer.Option(help="Idempotency key: one key, one run.")] = None,
    force: Annotated[bool, typer.Option(help="Train even if this was trained before.")] = False,
) -> None:
    """Publish a request to train; prints the message id."""
    with told_plainly():
        overrides = parse_overrides(set_)
        message: dict[str, object] = {}
        if config.startswith("gs://"):
            message["config_uri"] = config
        else:
            text = read_config_text(str(Path(config)))
            message["config"] = json.loads(
                json.dumps(parse_document(text, what=config), default=str)
            )
        message |= {
            name: value
            for name, value in (
                ("overrides", overrides),
                ("markets", list(market)),
                ("force", force),
            )
            if value
        }
        data = json.dumps(message).encode()
        parse_message(data)
        attributes = {"idempotency_key": key} if key else {}
        print(open_topic(to).publish(data, attributes))
