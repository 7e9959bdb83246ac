"""Reject a message that can never run: end its run as REJECTED, and store its body.

The terminal status is written first. The same message, delivered again, therefore never runs, even
if its config has become readable meanwhile. To run it, publish a new message.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from contract import layout
from contract.base import sha256_hex
from contract.events import EventData
from contract.exceptions import MMMError
from contract.run import RunError, State, Status, now
from contract.stored import Moment, Stored
from contract.stores.atomic import create
from contract.stores.base import Store
from contract.terminal import end_run, run_error

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
    *,
    run_id: str,
    body: bytes,
    attributes: Mapping[str, str],
    error: MMMError,
) -> Status:
    """End the run as REJECTED, and store the body under `rejected/`.

    Returns:
        The stored status. A run that was accepted before keeps its state, and nothing is stored.

    Raises:
        TransientError, ServiceError: the bucket is unreachable; objects already stored remain.
    """
    data = EventData(run_id=run_id, state=State.REJECTED, error=run_error(error))
    status = end_run(store, data, unless=lambda _: True)
    if status.state is not State.REJECTED:
        return status
    path = layout.rejected(f"{run_id}-{sha256_hex(body)[:16]}")
    kept = Rejection(
        run_id=run_id,
        rejected_at=now(),
        error=status.error or run_error(error),
        attributes=dict(attributes),
        size=len(body),
        body_base64=base64.b64encode(body[:MAX_STORED_BYTES]).decode(),
    )
    create(store, path, kept.to_json())  # a redelivery finds it stored
    return status
