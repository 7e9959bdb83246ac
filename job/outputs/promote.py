"""Move a market's `current.json` to a newly accepted run."""

from __future__ import annotations

from typing import Any

from contract import layout
from contract.base import canonical_json
from contract.run import now
from contract.stored import read_fields
from contract.stores.atomic import update
from contract.stores.base import Blob, Store


def promote(
    store: Store, *, run_id: str, market: str, revision: str, facts: dict[str, Any]
) -> bool:
    """Point the market at this run, unless it already points at a newer one.

    Run ids begin with a time, so their order is the order of the requests.

    Returns:
        True if the market points at this run now, False if it points at a newer one.

    Raises:
        TransientError: another writer came between at every attempt.
    """
    path = layout.current(revision, market)
    pointer = {
        "run_id": run_id,
        "promoted_at": now().isoformat(),
        "artifacts": layout.artifacts(revision, market, run_id),
        "manifest": layout.manifest(revision, market, run_id),
        **facts,
    }
    content = canonical_json(pointer)

    def change(old: Blob | None) -> bytes | None:
        if old is not None and read_fields(old.data, "run_id", path=path)["run_id"] > run_id:
            return None
        return content

    stored = update(store, path, change)
    return stored is not None and stored.data == content
