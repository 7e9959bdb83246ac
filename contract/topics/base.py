"""The interface of a topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Publisher(Protocol):
    """A topic. Errors: ServiceError, TransientError."""

    @property
    def topic(self) -> str:
        """The topic's name."""

    def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        """Publish one message, wait until it is accepted, and return its id."""
