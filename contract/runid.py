"""Run ids: `<UTC time>-<8 hex>`, e.g. `20261123T020000Z-1a2b3c4d`; one key, one id.

A key is what makes two requests the same: the sender's own key, or else the message or execution. A
key that is made of parts begins with MADE, which a sender's key cannot contain, and joins them as a
JSON array. Different parts therefore never give the same key.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from contract import layout
from contract.base import canonical_json, sha256_hex
from contract.exceptions import DamagedError
from contract.stored import read_fields
from contract.stores.atomic import create
from contract.stores.base import Store

MADE = "\x1f"
PATTERN = re.compile(r"^\d{8}T\d{6}Z-[0-9a-f]{8}$")


def make(key: str, at: datetime) -> str:
    """Return the id of the run for `key`, first seen at `at`."""
    utc = at.astimezone(UTC)
    return f"{utc.year:04d}{utc:%m%dT%H%M%SZ}-{sha256_hex(key.encode())[:8]}"


def message_key(topic: str, message_id: str, publish_time: str) -> str:
    """Return the idempotency key of a message that has no key of its own."""
    return _made("message", topic, message_id, publish_time)


def market_key(key: str, market: str | None) -> str:
    """Return the key of one of a message's markets; None stands for the config's own market."""
    return key if market is None else _made("market", key, market)


def execution_key(execution: str) -> str:
    """Return the key of an execution that was started with a config."""
    return _made("execution", execution)


def _made(*parts: str) -> str:
    return MADE + json.dumps(parts)


def is_valid(run_id: str) -> bool:
    """Return whether the text has the form of a run id."""
    return PATTERN.fullmatch(run_id) is not None


def time_of(run_id: str) -> datetime | None:
    """Return the time in a run id (UTC), None if it is not a time."""
    try:
        return datetime.strptime(run_id.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def for_key(store: Store, key: str, at: datetime) -> str:
    """Return the run id of a key that contains no time; the first caller decides the time.

    Two messages, or the tasks of one execution, with the same key get the same id.
    """
    wanted = make(key, at)
    path = layout.key(key)
    if create(store, path, canonical_json({"run_id": wanted})):
        return wanted
    return of_key(store, path)


def of_key(store: Store, path: str) -> str:
    """Return the run id in a key's object, which may be a request."""
    run_id = str(read_fields(store.read(path).data, "run_id", path=path)["run_id"])
    if not is_valid(run_id):
        raise DamagedError(path, f"`{run_id}` is not a run id")
    return run_id
