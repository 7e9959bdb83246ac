"""What can never run: the body is kept, a REJECTED event is published, nothing is retried."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import suppress

from contract import events, layout
from contract.base import canonical_json, sha256_hex
from contract.events import Event, EventData
from contract.exceptions import MMMError, PreconditionError
from contract.run import RunError, State, now
from contract.stores.base import Store
from contract.topics.base import Publisher

MAX_KEPT_BYTES = 256 * 1024


def reject(
    store: Store,
    publisher: Publisher,
    *,
    run_id: str,
    body: bytes,
    attributes: Mapping[str, str],
    error: MMMError,
) -> str:
    """Keep the body under `rejected/`, store and publish the event; returns the object's path.

    Raises:
        TransientError, ServiceError: bucket or topic cannot be reached; what is stored stays.
    """
    fault = RunError(
        code=error.exit_code, step=error.step, kind=type(error).__name__, message=error.message
    )
    path = layout.rejected(f"{run_id}-{sha256_hex(body)[:16]}")
    kept = {
        "run_id": run_id,
        "rejected_at": now().isoformat(),
        "error": fault.model_dump(mode="json"),
        "attributes": dict(attributes),
        "bytes": len(body),
        "body_base64": base64.b64encode(body[:MAX_KEPT_BYTES]).decode(),
    }
    with suppress(PreconditionError):  # a redelivery of the same message: kept already
        store.write(path, canonical_json(kept), if_generation=0)
    events.put(store, Event.of(EventData(run_id=run_id, state=State.REJECTED, error=fault)))
    events.flush(store, publisher, run_id)
    return path
