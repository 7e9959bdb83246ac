"""`mmm dead-letters`: messages that could not be processed, to read and to send again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

import typer

from contract.exceptions import ConfigError
from contract.rejection import Rejection
from contract.stores import Store, open_store
from contract.topics import Publisher, open_topic
from mmm.commands.common import DEFAULT_BUCKET, DEFAULT_REQUESTS, Bucket, told_plainly
from trigger.delivery import KEY_ATTRIBUTE

PULL_SECONDS = 5.0  # a pull without an answer for so long means that the subscription is empty
_OWN = ("CloudPubSubDeadLetter", "googclient_")


class What(StrEnum):
    """What is done with them."""

    LIST = "list"
    REPLAY = "replay"


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A message that was given up or rejected; `ack` takes it off its subscription."""

    name: str
    where: str
    why: str
    data: bytes
    attributes: dict[str, str] = field(default_factory=dict)
    ack: str | None = None


def command(
    what: Annotated[What, typer.Argument(help="list or replay.")] = What.LIST,
    only: Annotated[list[str], typer.Option("--only", help="Name; may be repeated.")] = [],  # noqa: B006
    bucket: Bucket = DEFAULT_BUCKET,
    subscription: Annotated[
        str | None,
        typer.Option(envvar="MMM_DEAD_LETTERS", help="projects/P/subscriptions/S."),
    ] = None,
    to: Annotated[
        str, typer.Option(envvar="MMM_REQUESTS_TOPIC", help="Topic that replays go to.")
    ] = DEFAULT_REQUESTS,
) -> None:
    """List or replay messages that were given up by Pub/Sub, and those that were rejected.

    `replay` sends every given-up message, or those named by --only. Pub/Sub gives a dead letter a
    new id, so a replay is a new request unless its sender chose an idempotency key; replayed twice
    it is still one run. Rejected bodies stay in the bucket.
    """
    with told_plainly(), ExitStack() as stack:
        store = open_store(bucket)
        letters = list(rejected_letters(store))
        held: set[str] = set()
        subscriber = stack.enter_context(_subscriber()) if subscription else None
        if subscriber is not None:
            stack.callback(_release, subscriber, subscription, held)
            for letter in _given_up(subscriber, subscription):
                letters.append(letter)
                held.add(letter.ack or "")
        unknown = set(only) - {letter.name for letter in letters}
        if unknown:
            raise ConfigError(f"there is no dead letter `{min(unknown)}`")
        for letter in letters:
            if only and letter.name not in only:
                continue
            if what is What.REPLAY and (only or letter.ack is not None):
                print(f"{letter.name}\tsent again as {replay(letter, open_topic(to))}")
                if letter.ack is not None and subscriber is not None:
                    subscriber.acknowledge(subscription=subscription, ack_ids=[letter.ack])
                    held.discard(letter.ack)
            else:
                print(f"{letter.name}\t{letter.where}\t{letter.why}")


def replay(letter: Letter, publisher: Publisher) -> str:
    """Publish a letter's message again; returns the new message's id."""
    kept = {k: v for k, v in letter.attributes.items() if not k.startswith(_OWN)}
    return publisher.publish(letter.data, kept)


def rejected_letters(store: Store) -> Iterator[Letter]:
    """Messages that were refused, as `contract.rejection` keeps them."""
    for info in store.list("rejected/"):
        record = Rejection.from_json(store.read(info.path).data, path=info.path)
        about = ("message_id", "publish_time", "topic")
        yield Letter(
            name=record.run_id,
            where="rejected",
            why=record.error.message.replace("\n", " "),
            data=record.body,
            attributes={k: v for k, v in record.attributes.items() if k not in about},
        )


def _given_up(subscriber: Any, subscription: str | None) -> Iterator[Letter]:
    """Pull every message that the subscription holds."""
    from google.api_core import exceptions as google_errors

    seen: set[str] = set()
    while True:
        try:
            answer = subscriber.pull(
                subscription=subscription, max_messages=100, timeout=PULL_SECONDS
            )
        except google_errors.DeadlineExceeded:
            return
        fresh = [r for r in answer.received_messages if r.message.message_id not in seen]
        if not fresh:
            return
        for received in fresh:
            message, attributes = received.message, dict(received.message.attributes)
            seen.add(message.message_id)
            count = attributes.get("CloudPubSubDeadLetterSourceDeliveryCount", "?")
            yield Letter(
                name=message.message_id,
                where="given up",
                why=f"{count} deliveries failed",
                data=message.data,
                attributes={KEY_ATTRIBUTE: f"dead-letter-{message.message_id}"} | attributes,
                ack=received.ack_id,
            )


def _release(subscriber: Any, subscription: str | None, held: set[str]) -> None:
    """Make pulled messages available to the next command at once."""
    if held:
        subscriber.modify_ack_deadline(
            subscription=subscription, ack_ids=sorted(held), ack_deadline_seconds=0
        )


def _subscriber() -> Any:
    from google.cloud import pubsub_v1  # type: ignore[attr-defined]

    return pubsub_v1.SubscriberClient()
