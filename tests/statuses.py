"""Statuses of runs in a folder, for tests of what reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from contract import layout
from contract.run import State, Status
from contract.stores.folder import FolderStore

START = datetime(2026, 11, 23, 2, tzinfo=UTC)


def put(store: FolderStore, number: int, market: str, state: State, **changes: Any) -> str:
    """Write the status of a run that was requested so many hours after START."""
    at = START + timedelta(hours=number)
    run_id = f"{at:%Y%m%dT%H%M%SZ}-0000000{number}"
    status = Status(
        run_id=run_id, state=state, market=market, revision="r1", created_at=at,
        updated_at=at + timedelta(minutes=6), **changes,
    )  # fmt: skip
    store.write(layout.status(run_id), status.to_json())
    return run_id
