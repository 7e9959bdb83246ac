"""How an attempt at a run ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contract.run import State


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How an attempt ended; `state` is the run's stored state, None if it is unknown."""

    run_id: str
    state: State | None
    exit_code: int
    report_uri: str | None = None
    message: str | None = None
    verdict: dict[str, Any] | None = None
    held: tuple[str, ...] = ()
