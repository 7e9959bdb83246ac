"""The states of a run, and the object that holds its state.

```
ACCEPTED ──► LAUNCHED ──► RUNNING ──► SUCCEEDED | HELD | SKIPPED | DUPLICATE | FAILED | CANCELLED
    └───────────┴────────────────────► FAILED | CANCELLED
    ▲                        │
    └── its market is busy ──┘
REJECTED: a message that can never run
```
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from contract import layout
from contract.base import Strict
from contract.exceptions import NotFoundError
from contract.stored import Moment, Stored
from contract.stores.atomic import create, update
from contract.stores.base import Blob, Store


class State(StrEnum):
    """The state of a run."""

    ACCEPTED = "ACCEPTED"
    LAUNCHED = "LAUNCHED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    HELD = "HELD"
    SKIPPED = "SKIPPED"
    DUPLICATE = "DUPLICATE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"

    @property
    def is_terminal(self) -> bool:
        """Return whether a run in this state has ended; a terminal state never changes."""
        return self not in (State.ACCEPTED, State.LAUNCHED, State.RUNNING)


class RunError(Strict):
    """Why a run did not succeed."""

    code: int
    step: str | None = None
    kind: str
    message: str


class LaunchClaim(Strict):
    """The right of one process to launch a run that has no execution, until `until`.

    `nothing_started` marks a released claim: Cloud Run refused every launch so far. `denied_since`
    is the time of the first refusal with 403, if there was one.
    """

    nonce: str
    until: Moment
    nothing_started: bool = False
    denied_since: Moment | None = None


class Status(Stored):
    """`runs/<run id>/status.json`.

    A run that waits for its market is ACCEPTED again: `waits_for` names the run ahead of it, and
    `left` names the executions that found the market busy and ended. `stop` says why a run that is
    at work must stop: its attempt then ends it as CANCELLED.
    """

    run_id: str
    state: State
    market: str
    revision: str
    created_at: Moment
    updated_at: Moment
    heartbeat_at: Moment | None = None
    execution: str | None = None
    launch: LaunchClaim | None = None
    waits_for: str | None = None
    left: list[str] = []
    stop: str | None = None
    attempt: int = 0
    step: str | None = None
    progress: dict[str, Any] = {}
    steps: list[dict[str, Any]] = []
    error: RunError | None = None
    outcome: dict[str, Any] = {}

    def has_left(self, execution: str) -> bool:
        """Return whether an execution (full name or last part) found the market busy and ended."""
        return execution.rpartition("/")[2] in self.left


class TaskStatus(Stored):
    """`runs/<run id>/tasks/<task>.json`: what a task that does not own the run is doing.

    It is for people: nothing is decided by it, and it may be missing or old.
    """

    run_id: str
    task: int
    execution: str
    attempt: int = 0
    updated_at: Moment
    heartbeat_at: Moment | None = None
    step: str | None = None
    progress: dict[str, Any] = {}
    steps: list[dict[str, Any]] = []
    error: RunError | None = None


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def read_status(store: Store, run_id: str) -> Status | None:
    """Return the status of a run, None if there is none."""
    return read_status_at(store, run_id)[0]


def read_status_at(store: Store, run_id: str) -> tuple[Status | None, int]:
    """Return the status of a run and its generation; None and 0 if there is none."""
    path = layout.status(run_id)
    try:
        blob = store.read(path)
    except NotFoundError:
        return None, 0
    return Status.from_json(blob.data, path=path, run_id=run_id), blob.generation


def change_status(store: Store, run_id: str, change: Callable[[Status], dict[str, Any]]) -> Status:
    """Change fields of a run's status by compare and swap; a terminal status never changes.

    Args:
        store: The bucket.
        run_id: The run.
        change: Takes the stored status and returns the new values of fields; an empty mapping
            changes nothing. It is called again if another writer came between.

    Returns:
        The status that is stored now.

    Raises:
        NotFoundError: the run has no status.
        TransientError: another writer came between at every attempt.
    """
    path = layout.status(run_id)
    stored: Status

    def changed(blob: Blob | None) -> bytes | None:
        nonlocal stored
        if blob is None:
            raise NotFoundError(f"run {run_id} has no status in {store.url}")
        stored = Status.from_json(blob.data, path=path, run_id=run_id)
        fields = {} if stored.state.is_terminal else change(stored)
        if not fields:
            return None
        new = stored.model_copy(update={"updated_at": now(), **fields})
        stored = Status.model_validate(new.model_dump())
        return stored.to_json()

    update(store, path, changed)
    return stored


def create_status(store: Store, status: Status) -> bool:
    """Write the first status of a run; return False if it has one."""
    return create(store, layout.status(status.run_id), status.to_json())
