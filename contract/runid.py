"""Run ids: `<UTC time>-<8 hex>`, e.g. `20261123T020000Z-1a2b3c4d`; one key, one id."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from contract import layout
from contract.base import canonical_json, sha256_hex
from contract.exceptions import DamagedError
from contract.stored import read_fields
from contract.stores.atomic import create
from contract.stores.base import Store

PATTERN = re.compile(r"^\d{8}T\d{6}Z-[0-9a-f]{8}$")


def make(key: str, at: datetime) -> str:
    """Return the id of the run for `key`, first seen at `at`."""
    utc = at.astimezone(UTC)
    return f"{utc.year:04d}{utc:%m%dT%H%M%SZ}-{sha256_hex(key.encode())[:8]}"


def message_key(topic: str, message_id: str, publish_time: str) -> str:
    """Return the idempotency key of a message that has no key of its own."""
    return f"{topic}|{message_id}|{publish_time}"


def is_valid(run_id: str) -> bool:
    """Return whether the text has the form of a run id."""
    return PATTERN.fullmatch(run_id) is not None


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
