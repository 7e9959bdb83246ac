"""Move a market's `current.json` to a newly accepted run, by generation."""

from __future__ import annotations

from typing import Any

from contract import layout
from contract.base import canonical_json
from contract.exceptions import NotFoundError, PreconditionError, TransientError
from contract.run import now
from contract.stored import read_fields
from contract.stores.base import Store


def promote(
    store: Store, *, run_id: str, market: str, revision: str, facts: dict[str, Any]
) -> bool:
    """Point the market at this run, unless it points at a newer one already.

    Run ids begin with their time, so their order is the order of the requests.
    """
    path = layout.current(revision, market)
    pointer = {
        "run_id": run_id,
        "promoted_at": now().isoformat(),
        "artifacts": layout.artifacts(revision, market, run_id),
        "manifest": layout.manifest(revision, market, run_id),
        **facts,
    }
    for _ in range(10):
        try:
            blob = store.read(path)
        except NotFoundError:
            generation = 0
        else:
            generation = blob.generation
            if read_fields(blob.data, "run_id", path=path)["run_id"] > run_id:
                return False
        try:
            store.write(path, canonical_json(pointer), if_generation=generation)
        except PreconditionError:
            continue
        return True
    raise TransientError(f"`{path}` is being written by others all the time")
