"""The job's log, on stderr: entries for Cloud Logging, or lines for people.

`mmm run` writes lines for people. On a terminal they go through the rich console that draws the
progress bars, so that bars and lines do not overwrite each other. The newest entries of a run are
kept, so that its attempt can store them (`job.attempt.stored_log`).
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import MutableMapping
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, TextIO, cast

import structlog
from rich.console import Console

from contract.cloud_logging import entry
from job.runtime.log_lines import LABELS, line_of
from job.runtime.output import Stderr
from job.runtime.signals import shielded

KEPT = 5000  # entries
_kept: deque[tuple[str, str]] = deque(maxlen=KEPT)

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
            _keep,
            _for_cloud_logging if style == "json" else _for_people,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=factory,
        cache_logger_on_first_use=False,
    )
    _kept.clear()
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


def kept(run_id: str) -> list[str]:
    """Return the newest entries of a run as lines of JSON, at most KEPT."""
    return [line for owner, line in _kept.copy() if owner == run_id]


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
        # A signal, which only the main thread sees, would make rich write the same line again.
        in_main = threading.current_thread() is threading.main_thread()
        with shielded() if in_main else nullcontext():
            self._console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)

    debug = info = warning = error = critical = exception = msg


def _keep(logger: Any, method: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if "run_id" in record:
        line = _for_cloud_logging(logger, method, dict(record))
        _kept.append((str(record["run_id"]), line))
    return record


def _for_cloud_logging(_: Any, method: str, record: MutableMapping[str, Any]) -> str:
    labels = {name: record.pop(name) for name in LABELS if name in record}
    severity = "error" if method == "exception" else method
    return entry(severity, record.pop("event"), labels=labels, fields=record)


def _for_people(_: Any, method: str, record: MutableMapping[str, Any]) -> str:
    message = record.pop("event")
    return line_of(method, message, record, datetime.now(UTC))
