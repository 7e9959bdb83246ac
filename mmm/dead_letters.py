"""List the messages that could not be processed, and publish them again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from contract import layout
from contract.damage import unless_damaged
from contract.exceptions import ConfigError
from contract.rejection import Rejection
from contract.stores import Store
from contract.suggest import did_you_mean
from contract.topics import Publisher
from trigger.delivery import KEY_ATTRIBUTE

PULL_SECONDS = 5.0  # a subscription that returns nothing within this time is empty
_OWN = ("CloudPubSubDeadLetter", "googclient_")


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A message that Pub/Sub gave up on, or that the trigger rejected.

    `acknowledge` removes the message from its subscription; it is None for a rejected message.
    """

    name: str
    kind: str
    reason: str
    data: bytes
    attributes: dict[str, str] = field(default_factory=dict)
    acknowledge: Callable[[], object] | None = None


@contextmanager
def dead_letters(
    store: Store, *, subscription: str | None = None, only: Sequence[str] = ()
) -> Iterator[list[Letter]]:
    """Yield the rejected messages of a bucket and the dead letters of a subscription.

    At the end of the block, dead letters that were not acknowledged are available again.

    Args:
        store: The bucket.
        subscription: `projects/P/subscriptions/S`.
        only: Names of the messages to yield; all by default.

    Raises:
        ConfigError: `only` has a name that no message has.
    """
    with ExitStack() as stack:
        letters = list(rejected_letters(store))
        if subscription:
            letters += stack.enter_context(_given_up_letters(subscription))
        names = [letter.name for letter in letters]
        for name in only:
            if name not in names:
                raise ConfigError(f"there is no dead letter `{name}`.{did_you_mean(name, names)}")
        yield [letter for letter in letters if not only or letter.name in only]


def replay(letter: Letter, publisher: Publisher) -> str:
    """Publish a letter's message again and acknowledge the letter; return the new id."""
    kept = {k: v for k, v in letter.attributes.items() if not k.startswith(_OWN)}
    new = publisher.publish(letter.data, kept)
    if letter.acknowledge is not None:
        letter.acknowledge()
    return new


def rejected_letters(store: Store) -> Iterator[Letter]:
    """Yield the rejected messages that `contract.rejection` stored."""
    for info in store.list(layout.REJECTED):
        record = unless_damaged(
            partial(_rejection, store, info.path), None, then="it is not listed"
        )
        if record is None:
            continue
        about = ("message_id", "publish_time", "topic")
        yield Letter(
            name=record.run_id,
            kind="rejected",
            reason=record.error.message.replace("\n", " "),
            data=record.body,
            attributes={k: v for k, v in record.attributes.items() if k not in about},
        )


def _rejection(store: Store, path: str) -> Rejection:
    return Rejection.from_json(store.read(path).data, path=path)


@contextmanager
def _given_up_letters(subscription: str) -> Iterator[list[Letter]]:
    """Hold the messages of a dead-letter subscription while the block runs."""
    from google.cloud import pubsub_v1  # type: ignore[attr-defined]

    held: set[str] = set()
    subscriber: Any
    with pubsub_v1.SubscriberClient() as subscriber:

        def acknowledge(ack_id: str) -> None:
            subscriber.acknowledge(subscription=subscription, ack_ids=[ack_id])
            held.discard(ack_id)

        try:
            letters = []
            for received in _pull(subscriber, subscription):
                held.add(received.ack_id)
                letters.append(_given_up(received, partial(acknowledge, received.ack_id)))
            yield letters
        finally:
            if held:
                subscriber.modify_ack_deadline(
                    subscription=subscription, ack_ids=sorted(held), ack_deadline_seconds=0
                )


def _pull(subscriber: Any, subscription: str) -> Iterator[Any]:
    """Yield every message of the subscription once."""
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
        seen |= {received.message.message_id for received in fresh}
        yield from fresh


def _given_up(received: Any, acknowledge: Callable[[], object]) -> Letter:
    message, attributes = received.message, dict(received.message.attributes)
    count = attributes.get("CloudPubSubDeadLetterSourceDeliveryCount", "?")
    return Letter(
        name=message.message_id,
        kind="given up",
        reason=f"{count} deliveries failed",
        data=message.data,
        attributes={KEY_ATTRIBUTE: f"dead-letter-{message.message_id}"} | attributes,
        acknowledge=acknowledge,
    )
