"""What a message asks for: its key, its run ids and the requests that are made of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from contract import layout, runid
from contract.config import Config, hash_of
from contract.exceptions import ConfigError
from contract.fetch import fetch_config
from contract.loading import load_config
from contract.request import Message, Origin, Request, parse_message
from contract.run import now
from contract.stores import Store
from trigger.message import KEY_ATTRIBUTE, PubSubMessage


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A checked message. `key_is_own` says that the sender chose the key."""

    message: Message
    delivery: PubSubMessage
    key: str
    key_is_own: bool

    @property
    def markets(self) -> list[str | None]:
        """One run for each; None is the config's own market."""
        return list(self.message.markets) or [None]

    def place(self, market: str | None) -> tuple[str, str]:
        """The run's id, and where its request is written once: whoever writes it decides.

        A key of the sender's own says nothing of the time, so messages that bring the same one meet
        at the key, and the id is that of the first.
        """
        if self.message.run_id is not None:
            return self.message.run_id, layout.request(self.message.run_id)
        key = self.key if market is None else f"{self.key}|{market}"
        at = self.delivery.published_at
        run_id = runid.make(key, at or now())
        own = self.key_is_own or at is None
        return run_id, layout.key(key) if own else layout.request(run_id)

    def request(self, store: Store, run_id: str, market: str | None) -> tuple[Request, Config]:
        """The request of one run, and its config, read and resolved.

        Raises:
            ConfigError: it can never run.
        """
        message = self.message
        overrides = message.overrides if market is None else {**message.overrides, "market": market}
        raw = message.config
        origin = "message"
        if message.config_uri is not None:
            origin = message.config_uri
            files = store.url.startswith("file://")
            text = fetch_config(message.config_uri, store=store, files=files)
        resolved = load_config(raw if raw is not None else text, origin=origin, overrides=overrides)
        config = resolved.config
        request = Request(
            run_id=run_id,
            market=config.market,
            revision=config.revision,
            config=resolved.values,
            origins=resolved.origins,
            config_hash=hash_of(resolved.values),
            force=message.force,
            origin=Origin(
                via="pubsub",
                message_id=self.delivery.message_id,
                topic=self.delivery.topic,
                publish_time=self.delivery.publish_time,
                config_uri=message.config_uri,
            ),
            accepted_at=now(),
            nonce=uuid.uuid4().hex,
        )
        return request, config


def understand(delivery: PubSubMessage) -> Asked:
    """Check a delivery's data and attributes.

    Raises:
        ConfigError: one sentence per fault.
    """
    if delivery.data is None:
        raise ConfigError("the message's data is not base64; allowed: base64 of JSON")
    message = parse_message(delivery.data)
    if message.run_id is not None and len(message.markets) > 1:
        raise ConfigError("`run_id` is given with several `markets`; allowed: one of the two")
    own = delivery.attributes.get(KEY_ATTRIBUTE) or message.idempotency_key
    if own is not None and len(own) > 512:
        raise ConfigError(f"`{KEY_ATTRIBUTE}` has {len(own)} characters; allowed: at most 512")
    return Asked(
        message=message, delivery=delivery, key=own or delivery.key, key_is_own=own is not None
    )


def too_old(published_at: datetime | None, max_age: timedelta) -> str | None:
    """Why a message is dropped for its age, None where it is fresh."""
    if published_at is None:
        return None
    age = now() - published_at
    if age <= max_age:
        return None
    hours = age.total_seconds() / 3600
    return (
        f"the message was published {hours:.1f} hours ago; allowed: at most "
        f"{max_age.total_seconds() / 3600:g} (publish it again if it is still wanted)"
    )
