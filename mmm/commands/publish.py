"""`mmm publish CONFIG`: request a run with a message."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from contract import environment
from mmm.commands.common import DEFAULT_REQUESTS, AsJson, Overrides, parse_overrides, report_errors


def command(
    config: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG", help="gs:// address, or a local file whose content is sent."
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            envvar=environment.REQUESTS_TOPIC,
            help="projects/P/topics/T or a .jsonl file.",
        ),
    ] = DEFAULT_REQUESTS,
    set_: Overrides = [],  # noqa: B006  typer reads the default, nothing changes it
    market: Annotated[
        list[str], typer.Option(help="Market to train; one run each. May be repeated.")
    ] = [],  # noqa: B006
    key: Annotated[str | None, typer.Option(help="Idempotency key: one key, one run.")] = None,
    force: Annotated[
        bool, typer.Option(help="Train again even if this config and data were trained before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Publish a request to train.

    Prints the message's id.

    Example: mmm publish gs://BUCKET/configs/de.yaml --set training.preset=production
    """
    from contract.documents import parse_document
    from contract.topics import open_topic
    from job.attempt.request import read_config_text
    from mmm.publish import request_run

    with report_errors(as_json=as_json):
        overrides = parse_overrides(set_)
        is_address = config.startswith("gs://")
        sent = request_run(
            open_topic(to),
            config if is_address else parse_document(read_config_text(config), what=config),
            overrides=overrides,
            markets=market,
            key=key,
            force=force,
        )
    print(json.dumps({"message_id": sent, "topic": to}) if as_json else sent)
