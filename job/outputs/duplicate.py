"""Find a finished run with the same config, data, version and image."""

from __future__ import annotations

from contract import layout
from contract.base import canonical_json, sha256_hex
from contract.exceptions import NotFoundError
from contract.stored import read_fields
from contract.stores import Store
from job.outputs.manifest import own_version
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


def finished_run(store: Store, digest: str) -> str | None:
    """Return the id of the run that finished with this fingerprint, None if there is none."""
    path = layout.fingerprint(digest)
    try:
        return str(read_fields(store.read(path).data, "run_id", path=path)["run_id"])
    except NotFoundError:
        return None
