"""`mmm dead-letters`: list messages that could not be processed, or send them again."""

from __future__ import annotations

from typing import Annotated

import typer

from contract import environment
from mmm.commands.common import (
    DEFAULT_BUCKET,
    DEFAULT_REQUESTS,
    Bucket,
    JsonLines,
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
    as_json: JsonLines = False,
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
    from mmm.results import DeadLetter

    with report_errors(as_json=as_json):
        one_of(action, ACTIONS, name="ACTION")
        with dead_letters(open_store(bucket), subscription=subscription, only=only) as letters:
            for letter in letters:
                again = action == "replay" and (only or letter.acknowledge is not None)
                sent_as = replay(letter, open_topic(to)) if again else None
                if as_json:
                    line = DeadLetter(
                        name=letter.name, kind=letter.kind, reason=letter.reason, sent_as=sent_as
                    )
                    print(line.model_dump_json())
                elif sent_as:
                    print(f"{letter.name}\tsent again as {sent_as}")
                else:
                    print(f"{letter.name}\t{letter.kind}\t{letter.reason}")
