"""The function's log: entries for Cloud Logging, with the labels of the current message."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from contract.cloud_logging import entry

_labels: ContextVar[dict[str, str] | None] = ContextVar("labels", default=None)
log = logging.getLogger("mmm.trigger")


class _Format(logging.Formatter):
    """Format a record as one entry."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        return entry(
            record.levelname,
            message,
            labels={**(_labels.get() or {}), **getattr(record, "labels", {})},
            at=datetime.fromtimestamp(record.created, tz=UTC),
        )


def configure() -> None:
    """Write this package's entries to stdout; further calls change nothing."""
    own = logging.getLogger("mmm")
    if own.handlers:
        return
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Format())
    own.addHandler(handler)
    own.setLevel(logging.INFO)
    own.propagate = False


@contextmanager
def labels(**more: str) -> Iterator[None]:
    """Add labels to every entry that is written inside the block."""
    token = _labels.set({**(_labels.get() or {}), **more})
    try:
        yield
    finally:
        _labels.reset(token)
