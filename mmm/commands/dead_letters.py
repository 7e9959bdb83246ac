"""`mmm dead-letters`: list messages that could not be processed, or send them again."""

from __future__ import annotations

from typing import Annotated

import typer

from contract import environment
from mmm.commands.common import (
    DEFAULT_BUCKET,
    DEFAULT_REQUESTS,
    Bucket,
    one_of,
    report_errors,
)

ACTIONS = ("list", "replay")


def command(
    action: Annotated[
        str,
        typer.Argument(
            metavar="ACTION", help="list or replay.", autocompletion=lambda: list(ACTIONS)
        ),
    ] = "list",
    only: Annotated[list[str], typer.Option(help="Name of a dead letter. May be repeated.")] = [],  # noqa: B006  typer reads the default, nothing changes it
    bucket: Bucket = DEFAULT_BUCKET,
    subscription: Annotated[
        str | None,
        typer.Option(envvar=environment.DEAD_LETTERS, help="projects/P/subscriptions/S."),
    ] = None,
    to: Annotated[
        str,
        typer.Option(envvar=environment.REQUESTS_TOPIC, help="Topic that messages are sent to."),
    ] = DEFAULT_REQUESTS,
) -> None:
    """List dead letters, or send them again.

    Dead letters are messages that Pub/Sub gave up on, and messages that the trigger rejected.
    `replay` sends every message of the first kind again, or the messages named by --only. Pub/Sub
    gives a dead letter a new id, so a replay is a new request unless the message has an idempotency
    key. A message that is replayed twice is still one run. Rejected messages stay in the bucket.
    """
    from contract.stores import open_store
    from contract.topics import open_topic
    from mmm.dead_letters import dead_letters, replay

    with report_errors():
        one_of(action, ACTIONS, name="ACTION")
        with dead_letters(open_store(bucket), subscription=subscription, only=only) as letters:
            for letter in letters:
                if action == "replay" and (only or letter.acknowledge is not None):
                    print(f"{letter.name}\tsent again as {replay(letter, open_topic(to))}")
                else:
                    print(f"{letter.name}\t{letter.kind}\t{letter.reason}")
