"""The job's log, on stderr: entries for Cloud Logging, or lines for people.

`mmm run` writes lines for people. On a terminal they go through the rich console that draws the
progress bars, so that bars and lines do not overwrite each other.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, TextIO, cast

import structlog
from rich.console import Console

from contract.cloud_logging import entry
from contract.printable import escape_invisible
from job.runtime.output import Stderr

LABELS = ("run_id", "market", "revision", "execution", "task", "attempt")

Style = Literal["json", "console"]
Log = structlog.typing.FilteringBoundLogger


def configure(style: Style = "json", console: Console | None = None) -> Log:
    """Set up logging for the process; include the warnings of libraries.

    Args:
        style: `json` for Cloud Logging, `console` for people.
        console: Where lines for people are printed; a console on stderr by default.
    """
    if style == "json":
        factory: Any = structlog.WriteLoggerFactory(file=cast(TextIO, Stderr()))
    else:
        factory = partial(_ConsoleLogger, console or stderr_console())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            _for_cloud_logging if style == "json" else _for_people,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=factory,
        cache_logger_on_first_use=False,
    )
    handler = _Forward()
    handler.setLevel(logging.WARNING)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    log: Log = structlog.get_logger()
    return log


def stderr_console() -> Console:
    """Return a console on stderr."""
    return Console(file=cast(TextIO, Stderr()))


def bind(**labels: object) -> None:
    """Add labels to every further entry of this process."""
    structlog.contextvars.bind_contextvars(**labels)


class _Forward(logging.Handler):
    """Forward what libraries log with `logging`."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        level = "error" if record.levelno >= logging.ERROR else "warning"
        getattr(log, level)(record.getMessage(), logger=record.name)


class _ConsoleLogger:
    """Print each line above the console's progress bars, if any."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def msg(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)

    debug = info = warning = error = critical = exception = msg


def _for_cloud_logging(_: Any, method: str, record: MutableMapping[str, Any]) -> str:
    labels = {name: record.pop(name) for name in LABELS if name in record}
    severity = "error" if method == "exception" else method
    return entry(severity, record.pop("event"), labels=labels, fields=record)


def _for_people(_: Any, method: str, record: MutableMapping[str, Any]) -> str:
    message = record.pop("event")
    source = record.pop("source", None)
    for name in (*LABELS, "step", "state", "logger"):
        record.pop(name, None)
    mark = {"warning": "! ", "error": "x ", "exception": "x "}.get(method, "  ")
    details = "  ".join(f"{key}={value}" for key, value in record.items())
    origin = f"{source}: " if source else ""
    line = f"{datetime.now(UTC):%H:%M:%S} {mark}{origin}{message}"
    line += f"  ({details})" if details else ""
    return escape_invisible(line).replace("\n", "\n           ")  # text cannot imitate a log line
