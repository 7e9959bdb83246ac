"""Reject a message that can never run: store its body, publish a REJECTED event."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from contract import events, layout
from contract.base import sha256_hex
from contract.events import Event, EventData
from contract.exceptions import MMMError
from contract.run import RunError, State, now
from contract.stored import Moment, Stored
from contract.stores.atomic import create
from contract.stores.base import Store
from contract.topics.base import Publisher

MAX_STORED_BYTES = 256 * 1024


def _base64(text: str) -> str:
    base64.b64decode(text, validate=True)
    return text


class Rejection(Stored):
    """`rejected/<…>.json`: a message that can never run, as it arrived."""

    run_id: str
    rejected_at: Moment
    error: RunError
    attributes: dict[str, str]
    size: int
    body_base64: Annotated[str, AfterValidator(_base64)]

    @property
    def body(self) -> bytes:
        """Return the stored part of the body: its first MAX_STORED_BYTES."""
        return base64.b64decode(self.body_base64)


def reject(
    store: Store,
    publisher: Publisher,
    *,
    run_id: str,
    body: bytes,
    attributes: Mapping[str, str],
    error: MMMError,
) -> str:
    """Store the body under `rejected/`, store and publish the event; return the object's path.

    Raises:
        TransientError, ServiceError: bucket or topic is unreachable; objects already stored remain.
    """
    fault = RunError(
        code=error.exit_code, step=error.step, kind=type(error).__name__, message=error.message
    )
    path = layout.rejected(f"{run_id}-{sha256_hex(body)[:16]}")
    kept = Rejection(
        run_id=run_id,
        rejected_at=now(),
        error=fault,
        attributes=dict(attributes),
        size=len(body),
        body_base64=base64.b64encode(body[:MAX_STORED_BYTES]).decode(),
    )
    create(store, path, kept.to_json())  # a redelivery finds it stored
    events.put(store, Event.of(EventData(run_id=run_id, state=State.REJECTED, error=fault)))
    events.flush(store, publisher, run_id)
    return path
