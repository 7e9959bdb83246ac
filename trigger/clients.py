"""Clients that connect on first use, because most deliveries publish nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from contract.topics import Publisher, open_topic


class LazyPublisher:
    """A topic whose client is imported and connected at the first message."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def topic(self) -> str:
        """The topic's name."""
        return self._name

    def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        """Publish one message, wait until it is accepted, and return its id."""
        return self._open.publish(data, attributes)

    @cached_property
    def _open(self) -> Publisher:
        return open_topic(self._name)
