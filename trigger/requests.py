"""Turn a message into run ids and requests, one for each market."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contract import layout, runid
from contract.config import Config
from contract.exceptions import ConfigError, DeniedError, MMMError, TransientError
from contract.fetch import fetch_config
from contract.loading import load_config
from contract.message import Message, parse_message
from contract.request import Origin, Request
from contract.retries import GRANT
from contract.run import now
from contract.stores import Store
from trigger.delivery import KEY_ATTRIBUTE, Delivery

MAX_KEY_LENGTH = 512
RUN_ID_AHEAD, RUN_ID_BEHIND = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class CheckedMessage:
    """A valid message and its delivery; `key_is_own` is true if the sender chose the key."""

    message: Message
    delivery: Delivery
    key: str
    key_is_own: bool

    @property
    def markets(self) -> list[str | None]:
        """The markets to run; None stands for the config's own market."""
        return list(self.message.markets) or [None]

    def identity(self, market: str | None) -> tuple[str, str]:
        """Return a run's id, and the path where its request is written once.

        A sender's own key says nothing about the time. Messages with the same key therefore meet at
        the key's path, and the run has the id of the message that wrote it.
        """
        if self.message.run_id is not None:
            return self.message.run_id, layout.request(self.message.run_id)
        key = runid.market_key(self.key, market)
        at = self.delivery.published_at
        run_id = runid.make(key, at or now())
        own = self.key_is_own or at is None
        return run_id, layout.key(key) if own else layout.request(run_id)

    def request(self, store: Store, run_id: str, market: str | None) -> tuple[Request, Config]:
        """Read and resolve the config; return the run's request and the config.

        Raises:
            ConfigError: the run can never start.
        """
        message = self.message
        overrides = message.overrides if market is None else {**message.overrides, "market": market}
        raw = message.config
        origin = "message"
        if message.config_uri is not None:
            origin = message.config_uri
            files = store.url.startswith("file://")
            try:
                text = fetch_config(message.config_uri, store=store, files=files)
            except DeniedError as error:
                raise self._denied(error) from None
        resolved = load_config(raw if raw is not None else text, origin=origin, overrides=overrides)
        request = Request.of(
            resolved,
            run_id=run_id,
            force=message.force,
            origin=Origin(
                via="pubsub",
                message_id=self.delivery.message_id,
                topic=self.delivery.topic,
                publish_time=self.delivery.publish_time,
                config_uri=message.config_uri,
            ),
        )
        return request, resolved.config

    def _denied(self, error: DeniedError) -> MMMError:
        """Return what a denied config means: a new grant may not have taken effect yet."""
        at = self.delivery.published_at
        if at is None or now() - at < GRANT:
            return TransientError(f"{error.message} (a new grant may take minutes)")
        return ConfigError(error.message)


def check_message(delivery: Delivery) -> CheckedMessage:
    """Check the data and attributes of a delivery.

    Raises:
        ConfigError: one sentence per fault.
    """
    if delivery.data is None:
        raise ConfigError("the data of the message is not base64; allowed: base64 of JSON")
    message = parse_message(delivery.data, delivery.attributes)
    if message.run_id is not None and len(message.markets) > 1:
        raise ConfigError(
            "the message has both `run_id` and several `markets`; allowed: one of them"
        )
    if message.run_id is not None:
        _check_time_of(message.run_id, delivery.published_at or now())
    own = delivery.attributes.get(KEY_ATTRIBUTE) or message.idempotency_key
    if own is not None and len(own) > MAX_KEY_LENGTH:
        raise ConfigError(
            f"`{KEY_ATTRIBUTE}` has {len(own)} characters; allowed: at most {MAX_KEY_LENGTH}"
        )
    if own is not None and runid.MADE in own:
        raise ConfigError(
            f"`{KEY_ATTRIBUTE}` has the control character U+001F; allowed: text without it"
        )
    return CheckedMessage(
        message=message, delivery=delivery, key=own or delivery.key, key_is_own=own is not None
    )


def _check_time_of(run_id: str, published_at: datetime) -> None:
    """Refuse a run id whose time is far from its message's.

    Raises:
        ConfigError: it is no time, or it is too far ahead or behind.
    """
    at = runid.time_of(run_id)
    if at is None or not -RUN_ID_BEHIND <= at - published_at <= RUN_ID_AHEAD:
        raise ConfigError(
            f"`run_id` is `{run_id}`, but the message was published at "
            f"{published_at:%Y-%m-%dT%H:%M:%SZ}; allowed: a time at most {RUN_ID_BEHIND.days} days "
            f"before and {RUN_ID_AHEAD.days} day after it (or leave `run_id` out)"
        )


def check_age(published_at: datetime | None, max_age: timedelta) -> None:
    """Refuse a message that is too old; one without a publication time is taken.

    Raises:
        ConfigError: it is older than `max_age`.
    """
    age = now() - published_at if published_at is not None else timedelta(0)
    if age > max_age:
        raise ConfigError(
            f"the message was published {age.total_seconds() / 3600:.1f} hours ago; allowed: at "
            f"most {max_age.total_seconds() / 3600:g} (publish it again if it is still wanted)"
        )
