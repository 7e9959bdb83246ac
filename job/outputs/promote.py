"""Move a market's `current.json` to a newly accepted run.

The order of runs is the order of acceptance, which a sender cannot set; a run id says nothing about
it. No time can pin a market: one that the bucket's clock has not reached yet counts as wrong.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contract import layout, runid
from contract.base import canonical_json
from contract.damage import warn
from contract.exceptions import DamagedError
from contract.lease import bucket_time
from contract.stored import read_fields
from contract.stores.atomic import update
from contract.stores.base import Blob, Store
from job.outputs.pointer import newest_pointer


def promote(
    store: Store,
    *,
    run_id: str,
    market: str,
    revision: str,
    accepted_at: datetime,
    facts: dict[str, Any],
) -> bool:
    """Point the market at this run, unless it already points at a newer one.

    Returns:
        True if the market points at this run now, False if it points at a newer one.

    Raises:
        TransientError: another writer came between at every attempt.
    """
    path = layout.current(revision, market)
    at = bucket_time(store, layout.clock(run_id))
    accepted_at = min(accepted_at, at)
    pointer = {
        "run_id": run_id,
        "accepted_at": accepted_at.isoformat(),
        "promoted_at": at.isoformat(),
        "artifacts": layout.artifacts(revision, market, run_id),
        "manifest": layout.manifest(revision, market, run_id),
        **facts,
    }
    content = canonical_json(pointer)

    def change(old: Blob | None) -> bytes | None:
        if old is None:
            return content
        try:
            fields = read_fields(old.data, "run_id", path=path)
        except DamagedError as error:
            warn(error, then="it is written again for the newest run that succeeded")
            newest = newest_pointer(store, revision, market)
            return canonical_json(newest) if newest and is_newer(newest) else content
        return None if is_newer(fields) else content

    def is_newer(fields: dict[str, Any]) -> bool:
        accepted = _time(fields.get("accepted_at")) or runid.time_of(fields["run_id"])
        if accepted is None or accepted > at:
            return False
        return (accepted, fields["run_id"]) > (accepted_at, run_id)

    stored = update(store, path, change)
    return stored is not None and stored.data == content


def _time(value: object) -> datetime | None:
    """Return the time of a pointer, None if it has none; older versions wrote none."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo else None
