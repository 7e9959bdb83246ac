"""The stored log of a run: the entries of all its attempts, in order of time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contract import layout
from contract.exceptions import NotFoundError
from contract.run import read_status
from contract.stored import Moment
from contract.stores import Store
from job.runtime.log_lines import SEVERITIES, line_of

POLL_SECONDS = 2.0


class Entry(BaseModel):
    """An entry of the log, as Cloud Logging reads it; other fields belong to its message."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    severity: str
    message: str
    time: Moment
    labels: dict[str, str] = Field(default={}, alias="logging.googleapis.com/labels")

    def to_json(self) -> str:
        """Return the entry as one line of JSON."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), ensure_ascii=False)

    def to_line(self) -> str:
        """Return the entry as a line for people."""
        at = self.time.astimezone(UTC)
        return line_of(self.severity.lower(), self.message, self.model_extra or {}, at)


def entries(store: Store, run_id: str, *, severity: str = "INFO") -> list[Entry]:
    """Return the stored entries of a run of at least a severity; damaged lines are left out."""
    found: list[Entry] = []
    for info in list(store.list(layout.log(run_id))):
        try:
            data = store.read(info.path).data
        except NotFoundError:
            continue
        for line in data.decode(errors="replace").splitlines():
            entry = _entry(line)
            if entry is not None and _rank(entry.severity) >= _rank(severity):
                found.append(entry)
    return sorted(found, key=lambda entry: entry.time)


def follow(
    store: Store, run_id: str, *, severity: str = "INFO", every: float = POLL_SECONDS
) -> Iterator[Entry]:
    """Yield the entries of a run as they are stored, until the run has ended."""
    seen: set[str] = set()
    while True:
        status = read_status(store, run_id)
        for entry in entries(store, run_id, severity=severity):
            line = entry.to_json()
            if line not in seen:
                seen.add(line)
                yield entry
        if status is None or status.state.is_terminal:
            return
        time.sleep(every)


def _entry(line: str) -> Entry | None:
    try:
        document: Any = json.loads(line)
        return Entry.model_validate(document)
    except (ValueError, ValidationError):
        return None


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
