"""What a topic can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Publisher(Protocol):
    """A topic. Errors: ServiceError, TransientError."""

    @property
    def topic(self) -> str:
        """Its name."""

    def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        """Publish one message and wait until it is taken; returns its id."""
