"""One delivery of a Pub/Sub message, in any of its forms.

Eventarc sends `{"message": …, "subscription": …}` as a CloudEvent whose source names the topic. A
push subscription sends the same body without CloudEvent headers; functions-framework makes a
CloudEvent of it whose source names the topic only if the endpoint's path does.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from contract import runid

KEY_ATTRIBUTE = "idempotency_key"
_SOURCE = "//pubsub.googleapis.com/"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A message as it was published; `data` is None if it was not base64."""

    message_id: str
    publish_time: str
    topic: str = ""
    data: bytes | None = b""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The idempotency key of a message that has no key of its own."""
        return runid.message_key(self.topic, self.message_id, self.publish_time)

    @property
    def published_at(self) -> datetime | None:
        """The time of publication (UTC), None if `publish_time` is not a time."""
        try:
            at = datetime.fromisoformat(self.publish_time)
        except ValueError:
            return None
        try:
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except OverflowError:
            return None

    @classmethod
    def from_body(
        cls, body: Any, *, source: str = "", event_id: str = "", at: str = ""
    ) -> Delivery:
        """Read a delivery's body; a body of another form gives an empty message."""
        message = body.get("message") if isinstance(body, Mapping) else None
        if not isinstance(message, Mapping):
            message = {}
        attributes = message.get("attributes")
        return cls(
            message_id=_text(message, "messageId", "message_id") or _storable(event_id),
            publish_time=_text(message, "publishTime", "publish_time") or _storable(at),
            topic=_storable(source.removeprefix(_SOURCE)),
            data=_decode(message.get("data")),
            attributes={_storable(str(k)): _storable(str(v)) for k, v in attributes.items()}
            if isinstance(attributes, Mapping)
            else {},
        )

    @classmethod
    def from_line(cls, line: Mapping[str, Any], *, topic: str) -> Delivery:
        """Read a line of a JSONL topic (`contract.topics.jsonl`)."""
        return cls.from_body({"message": line}, source=topic)


def _text(message: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = message.get(name)
        if isinstance(value, str) and value:
            return _storable(value)
    return ""


def _storable(text: str) -> str:
    """Replace lone surrogates, which are possible in JSON but not in UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _decode(data: Any) -> bytes | None:
    if data is None:
        return b""
    if not isinstance(data, str):
        return None
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
