"""How an entry of the log looks to people: `02:00:01 ! R: 3 trials are left  (trials=3)`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from contract.printable import escape_invisible

SEVERITIES = ("INFO", "WARNING", "ERROR")
LABELS = ("run_id", "market", "revision", "execution", "task", "attempt")
_HIDDEN = ("step", "state", "logger")
_MARKS = {"warning": "! ", "error": "x ", "critical": "x ", "exception": "x "}


def line_of(severity: str, message: str, fields: Mapping[str, Any], at: datetime) -> str:
    """Return an entry as a line; text of several lines is indented, so it cannot imitate one.

    Args:
        severity: `info`, `warning`, `error`, …
        message: The text of the entry.
        fields: Its other fields; `source` stands before the message, labels are left out.
        at: The time of the entry, in UTC.
    """
    details = "  ".join(
        f"{key}={value}"
        for key, value in fields.items()
        if key not in (*LABELS, *_HIDDEN, "source")
    )
    origin = f"{fields['source']}: " if fields.get("source") else ""
    line = f"{at:%H:%M:%S} {_MARKS.get(severity, '  ')}{origin}{message}"
    line += f"  ({details})" if details else ""
    return escape_invisible(line).replace("\n", "\n           ")
