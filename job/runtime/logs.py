"""Logs in the form that Cloud Logging reads: JSON lines with severity and the run's labels.

https://cloud.google.com/logging/docs/structured-logging. On a terminal (`mmm run`) the same records
are printed for people instead.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal

import structlog

from contract.printable import visible

LABELS = ("run_id", "market", "revision", "execution", "task", "attempt")
_SEVERITY = {
    "debug": "DEBUG",
    "info": "INFO",
    "warning": "WARNING",
    "error": "ERROR",
    "critical": "CRITICAL",
    "exception": "ERROR",
}

Style = Literal["json", "console"]
Log = structlog.typing.FilteringBoundLogger


def configure(style: Style = "json") -> Log:
    """Set up logging for the process; the libraries' own warnings come the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    if style == "json":
        end: list[Any] = [_for_cloud_logging, structlog.processors.JSONRenderer(default=str)]
    else:
        end = [structlog.processors.add_log_level, _for_people]
    structlog.configure(
        processors=shared + end,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=False,
    )
    handler = _Forward()
    handler.setLevel(logging.WARNING)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    log: Log = structlog.get_logger()
    return log


def bind(**labels: object) -> None:
    """Labels that every further line of this process carries."""
    structlog.contextvars.bind_contextvars(**labels)


class _Forward(logging.Handler):
    """Lines of libraries that use `logging`."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        level = "error" if record.levelno >= logging.ERROR else "warning"
        getattr(log, level)(record.getMessage(), logger=record.name)


def _for_cloud_logging(_: Any, method: str, record: MutableMapping[str, Any]) -> Mapping[str, Any]:
    labels = {name: str(record.pop(name)) for name in LABELS if name in record}
    line = {
        "severity": _SEVERITY.get(method, "DEFAULT"),
        "message": record.pop("event"),
        "time": record.pop("time"),
        "logging.googleapis.com/labels": labels,
    }
    return {**line, **record}


def _for_people(_: Any, method: str, record: MutableMapping[str, Any]) -> str:
    clock = str(record.pop("time"))[11:19]
    message = record.pop("event")
    source = record.pop("source", None)
    for name in (*LABELS, "level", "step", "state", "logger"):
        record.pop(name, None)
    mark = {"warning": "! ", "error": "x "}.get(method, "  ")
    details = "  ".join(f"{key}={value}" for key, value in record.items())
    origin = f"{source}: " if source else ""
    line = f"{clock} {mark}{origin}{message}" + (f"  ({details})" if details else "")
    return visible(line).replace("\n", "\n           ")  # so that no text can pose as a line
