"""Find the run that a market's `current.json` should name: the one that was accepted last.

It replaces a pointer that is damaged, or that names a run which a person holds. The ledger says
which runs are accepted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contract import layout, runid
from contract.damage import unless_damaged
from contract.run import read_status
from contract.stores import Store
from job.outputs.ledger import is_accepted, last_action
from job.outputs.manifest import Manifest, read_manifest

MAX_READ = 200  # runs of the market, newest first


def newest_pointer(
    store: Store, revision: str, market: str, *, without: str | None = None
) -> dict[str, Any] | None:
    """Return the pointer to the run that was accepted last, None if there is none.

    A run that `without` names is left out.
    """
    prefix = layout.artifacts(revision, market, "").rstrip("/") + "/"
    names = [name for name in store.folders(prefix) if runid.is_valid(name)]
    pointers = [
        pointer
        for run_id in names[-MAX_READ:]
        if run_id != without and (pointer := _pointer(store, revision, market, run_id)) is not None
    ]
    return max(pointers, key=lambda one: (one["accepted_at"], one["run_id"]), default=None)


def _pointer(store: Store, revision: str, market: str, run_id: str) -> dict[str, Any] | None:
    """Return the pointer to a run if it is accepted and its artifacts are complete."""

    def read() -> Manifest | None:
        status = read_status(store, run_id)
        if status is None or not is_accepted(store, status):
            return None
        return read_manifest(store, revision, market, run_id)

    manifest = unless_damaged(read, None, then=f"run {run_id} cannot become current")
    if manifest is None:
        return None
    _, by_person = last_action(store, revision, market, run_id)
    request = store.stat(layout.request(run_id))
    accepted = by_person or (request.updated if request else None)
    return pointer_to(manifest, accepted) if accepted else None


def pointer_to(manifest: Manifest, accepted_at: datetime) -> dict[str, Any]:
    """Return the content of a pointer to a run."""
    revision, market, run_id = manifest.revision, manifest.market, manifest.run_id
    return {
        "run_id": run_id,
        "accepted_at": accepted_at.isoformat(),
        "artifacts": layout.artifacts(revision, market, run_id),
        "manifest": layout.manifest(revision, market, run_id),
        "best_model": manifest.best_model,
        "engine": manifest.engine,
    }
