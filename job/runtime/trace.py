"""Record each step once: the single source of logs, status, manifest and event."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from contract.exceptions import MMMError
from job.runtime.logs import Log


@dataclass
class Step:
    """One step: when it ran, how it ended, and its figures in `detail`."""

    name: str
    started_at: str
    state: str = "started"
    seconds: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


class Trace:
    """The steps of one attempt; `on_change` is called at every start and end."""

    def __init__(self, *, log: Log, on_change: Callable[[Step], None]) -> None:
        self.steps: list[Step] = []
        self._log = log
        self._on_change = on_change
        self._began = time.monotonic()

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, Any]]:
        """Record a step; the block fills the `detail` that is yielded."""
        record = Step(name=name, started_at=datetime.now(UTC).isoformat(timespec="milliseconds"))
        self.steps.append(record)
        began = time.monotonic()
        try:
            self._log.info(f"{name} …", step=name, state="started")
            self._on_change(record)
            yield record.detail
        except BaseException as error:
            record.state, record.error = "failed", str(error) or type(error).__name__
            if isinstance(error, MMMError) and error.step is None:
                error.step = name
            raise
        else:
            record.state = "finished"
        finally:
            record.seconds = round(time.monotonic() - began, 3)
            self._on_change(record)
            if record.state == "finished":
                figures = {
                    k: v for k, v in record.detail.items() if isinstance(v, str | int | float)
                }
                self._log.info(
                    f"{name} done in {record.seconds:.1f} s", step=name, state="finished", **figures
                )

    @property
    def seconds(self) -> float:
        """The seconds since the attempt began."""
        return round(time.monotonic() - self._began, 3)

    def as_list(self) -> list[dict[str, Any]]:
        """Return the records as plain data."""
        return [asdict(step) for step in self.steps]
