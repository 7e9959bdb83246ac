"""The limits of Pub/Sub that its emulator does not have: https://cloud.google.com/pubsub/quotas."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from google.pubsub_v1.types import PublishRequest

from tests.fakes import grpc_proxy
from tests.fakes.grpc_proxy import Refusal

MESSAGE_BYTES = 10_000_000  # of a request and of the data of a message
MESSAGES = 1000
ATTRIBUTES = 100
NAME_BYTES = 256
VALUE_BYTES = 1024


@contextmanager
def limited(host: str) -> Iterator[str]:
    """Put the limits before an emulator; yields the address."""
    with grpc_proxy.passed_on(host, _refusal) as address:
        yield address


def _refusal(method: str, request: bytes) -> Refusal | None:
    if not method.endswith("/Publish"):
        return None
    problem = problem_of(request)
    return (grpc.StatusCode.INVALID_ARGUMENT, problem) if problem else None


def problem_of(request: bytes) -> str | None:
    """Return why Pub/Sub refuses a serialized PublishRequest, None if it does not."""
    messages = PublishRequest.deserialize(request).messages
    if len(request) > MESSAGE_BYTES:
        return f"The request has {len(request)} bytes, but the maximum allowed is {MESSAGE_BYTES}."
    if len(messages) > MESSAGES:
        return f"The request has {len(messages)} messages, but the maximum is {MESSAGES}."
    for message in messages:
        if not message.data and not message.attributes:
            return "A message needs non-empty data or at least one attribute."
        if len(message.attributes) > ATTRIBUTES:
            return (
                f"A message has {len(message.attributes)} attributes; the maximum is {ATTRIBUTES}."
            )
        for name, value in message.attributes.items():
            if not name or len(name.encode()) > NAME_BYTES or name.startswith("goog"):
                return f"The attribute name {name[:40]!r} is empty, too long or begins with goog."
            if len(value.encode()) > VALUE_BYTES:
                return (
                    "One of the attributes in the request has a value that is too long. The length "
                    f"is {len(value.encode())} characters, but the maximum allowed is {VALUE_BYTES}."
                )
    return None
