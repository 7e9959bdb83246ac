"""JSON lines that Cloud Logging reads, each with the labels of the run at hand.

https://cloud.google.com/logging/docs/structured-logging
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_labels: ContextVar[dict[str, str] | None] = ContextVar("labels", default=None)
log = logging.getLogger("mmm.trigger")


class _Format(logging.Formatter):
    """One record as one JSON line."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        line = {
            "severity": record.levelname,
            "message": message,
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "logging.googleapis.com/labels": {**(_labels.get() or {}), **_extra(record)},
        }
        return json.dumps(line, ensure_ascii=False)


def _extra(record: logging.LogRecord) -> dict[str, str]:
    return {name: str(value) for name, value in getattr(record, "labels", {}).items() if value}


def configure() -> None:
    """Send this package's lines to stdout as JSON; done once, however often it is called."""
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
    """Labels that every line inside carries."""
    token = _labels.set({**(_labels.get() or {}), **{k: v for k, v in more.items() if v}})
    try:
        yield
    finally:
        _labels.reset(token)
