"""Find the damaged objects of a bucket, and repair them or set them aside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from contract import layout
from contract.exceptions import DamagedError, MMMError, NotFoundError
from contract.lease import LEASE_SECONDS, bucket_time, is_recent
from contract.stores import Store
from mmm.objects import KINDS, Kind, kind_of

PREFIXES = tuple(dict.fromkeys(kind.prefix for kind in KINDS))


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A damaged object; `done` says what the repair did, None without a repair."""

    path: str
    problem: str
    remedy: str
    done: str | None = None


def examine(store: Store, *, repair: bool = False) -> Iterator[Finding]:
    """Yield the damaged objects of a bucket in order of path; with `repair`, mend each at once.

    A damaged object is kept below `damaged/` before it is replaced or removed. An object that
    changes meanwhile is left as it is.

    Raises:
        TransientError, ServiceError: the bucket does not answer, or refuses.
    """
    for prefix in PREFIXES:
        for info in list(store.list(prefix)):
            kind = kind_of(info.path)
            if kind is None:
                continue
            try:
                blob = store.read(info.path)
                kind.check(blob.data, info.path)
            except NotFoundError:
                continue
            except DamagedError as error:
                done = _repair(store, kind, info.path) if repair else None
                yield Finding(path=info.path, problem=error.message, remedy=kind.remedy, done=done)


def _repair(store: Store, kind: Kind, path: str) -> str | None:
    """Keep the damaged bytes, then replace or remove the object.

    Returns:
        What was done, None if nothing was done.
    """
    if kind.is_lease and _is_recent(store, path):
        return None
    try:
        blob = store.read(path)
        kept = layout.damaged(path, blob.generation)
        store.write(kept, blob.data)
        new = kind.rebuild(store, path)
        if new is not None:
            store.write(path, new, if_generation=blob.generation)
            return f"made again; the damaged one is `{kept}`"
        store.delete(path, if_generation=blob.generation)
    except MMMError:
        return None
    return f"set aside as `{kept}`"


def _is_recent(store: Store, path: str) -> bool:
    """Return whether a lease was written so recently that its owner may be at work."""
    info = store.stat(path)
    at = bucket_time(store, layout.reconcile_clock())
    return info is not None and is_recent(info.updated, at, timedelta(seconds=LEASE_SECONDS))
