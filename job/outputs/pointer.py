"""Find the run that a market's `current.json` should name, from the runs that succeeded.

It replaces a pointer that is damaged. A run that was held and then accepted by hand is not found,
because only the pointer said so.
"""

from __future__ import annotations

from typing import Any

from contract import layout, runid
from contract.damage import unless_damaged
from contract.run import State, read_status
from contract.stores import Store
from job.outputs.manifest import Manifest, read_manifest

MAX_READ = 200  # runs of the market, newest first


def newest_pointer(store: Store, revision: str, market: str) -> dict[str, Any] | None:
    """Return the pointer to the run that was accepted last of those that succeeded, or None."""
    prefix = layout.artifacts(revision, market, "").rstrip("/") + "/"
    names = [name for name in store.folders(prefix) if runid.is_valid(name)]
    pointers = [
        pointer
        for run_id in names[-MAX_READ:]
        if (pointer := _pointer(store, revision, market, run_id)) is not None
    ]
    return max(pointers, key=lambda one: (one["accepted_at"], one["run_id"]), default=None)


def _pointer(store: Store, revision: str, market: str, run_id: str) -> dict[str, Any] | None:
    """Return the pointer to a run if it succeeded and its artifacts are complete."""

    def read() -> Manifest | None:
        status = read_status(store, run_id)
        if status is None or status.state is not State.SUCCEEDED:
            return None
        return read_manifest(store, revision, market, run_id)

    manifest = unless_damaged(read, None, then=f"run {run_id} cannot become current")
    accepted = store.stat(layout.request(run_id))
    if manifest is None or accepted is None:
        return None
    return {
        "run_id": run_id,
        "accepted_at": accepted.updated.isoformat(),
        "artifacts": layout.artifacts(revision, market, run_id),
        "manifest": layout.manifest(revision, market, run_id),
        "best_model": manifest.best_model,
        "engine": manifest.engine,
    }
