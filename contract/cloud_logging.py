"""Format log entries as the JSON lines that Cloud Logging reads, for trigger and job.

https://cloud.google.com/logging/docs/structured-logging
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime


def entry(
    severity: str,
    message: str,
    *,
    labels: Mapping[str, object],
    at: datetime | None = None,
    fields: Mapping[str, object] | None = None,
) -> str:
    """Return one log entry as a line of JSON, without the line feed.

    Args:
        severity: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`, in any case.
        message: The text of the entry.
        labels: Labels to search entries by, e.g. the run's id; empty ones are left out.
        at: The time of the entry, with its zone; now by default.
        fields: More fields, shown beside the message. Values that JSON cannot hold become text.

    >>> json.loads(entry("info", "done", labels={"run_id": "r"}, fields={"rows": 2}))["rows"]
    2
    """
    line = {
        "severity": severity.upper(),
        "message": message,
        "time": (at or datetime.now(UTC)).isoformat(),
        "logging.googleapis.com/labels": {
            name: str(value) for name, value in labels.items() if value not in (None, "")
        },
    }
    return json.dumps({**line, **(fields or {})}, default=str)
