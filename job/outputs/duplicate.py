"""Find a finished run with the same config, data, version and image.

A run is found by its fingerprint only after it was promoted, and only if it is accepted: it
SUCCEEDED and no person held it, or it was HELD and then promoted by a person. A run that failed or
was cancelled never stands in for another one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from contract import layout
from contract.base import canonical_json, sha256_hex
from contract.damage import unless_damaged
from contract.exceptions import NotFoundError
from contract.run import now, read_status
from contract.stored import read_fields
from contract.stores import Store
from job.outputs.ledger import is_accepted
from job.outputs.manifest import Manifest, own_version, read_manifest

if TYPE_CHECKING:  # commands decide about runs without what reads data
    from job.sources import Snapshot


def fingerprint(snapshot: Snapshot, *, config_hash: str, image: str | None) -> str:
    """Return the SHA-256 (hex) of everything that determines the result."""
    parts = {
        "config": config_hash,
        "data": snapshot.fingerprint,
        "version": own_version(),
        "image": image,
    }
    return sha256_hex(canonical_json(parts))


def finished_run(store: Store, digest: str, *, revision: str, market: str) -> Manifest | None:
    """Return the manifest of the run that succeeded with this fingerprint, None if there is none.

    If one of its objects is damaged there is none: the data is trained again.
    """
    return unless_damaged(
        partial(_finished_run, store, digest, revision, market), None, then="no run is a duplicate"
    )


def _finished_run(store: Store, digest: str, revision: str, market: str) -> Manifest | None:
    path = layout.fingerprint(digest)
    try:
        run_id = str(read_fields(store.read(path).data, "run_id", path=path)["run_id"])
    except NotFoundError:
        return None
    status = read_status(store, run_id)
    if status is None:
        return None
    if not is_accepted(store, status):
        return None
    return read_manifest(store, revision, market, run_id)


def remember(store: Store, digest: str, run_id: str) -> None:
    """Let later runs with this fingerprint find a run that was promoted."""
    entry = {"run_id": run_id, "at": now().isoformat()}
    store.write(layout.fingerprint(digest), canonical_json(entry))
