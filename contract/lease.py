"""The lease of a run: the right of one process to work on it until it expires.

Only the bucket's clock measures a lease's age: the time when its object was last written, and the
bucket's time now. The clocks of the machines may be wrong by any amount.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from pydantic import Field

from contract import layout
from contract.damage import unless_damaged
from contract.exceptions import NotFoundError, TransientError
from contract.stored import Stored
from contract.stores.base import Blob, ObjectInfo, Store

LEASE_SECONDS = 120.0
AHEAD = timedelta(hours=1)
UNKNOWN = "an unknown owner"


class Lease(Stored):
    """`runs/<run id>/lease.json`; `nonce` distinguishes two equal owners.

    `manifest` is the path of the manifest that an owner decided on after it uploaded all artifacts.
    A process that takes over such a lease publishes that manifest and writes no artifact.
    """

    owner: str
    execution: str
    task: int
    attempt: int
    nonce: str
    seconds: float = Field(default=LEASE_SECONDS, ge=0, le=86_400)
    released: bool = False
    manifest: str | None = None

    def is_live(self, *, written: datetime, at: datetime) -> bool:
        """Return whether the owner may still be working; both times are by the bucket's clock."""
        return not self.released and is_recent(written, at, timedelta(seconds=self.seconds))


def is_recent(written: datetime, at: datetime, within: timedelta) -> bool:
    """Return whether `written` is less than `within` before `at`.

    A time after `at` is recent too, because `at` may have been read before. A time far in the
    future is not: a folder's clock was wrong when it was written.
    """
    return -AHEAD < at - written < within


def live_lease(store: Store, run_id: str, *, at: datetime) -> Lease | None:
    """Return a live lease of any task of the run, None if there is none.

    `at` is the bucket's time. A lease that is renewed during this call is live.
    """
    live = (one for info, one in _leases(store, run_id) if one.is_live(written=info.updated, at=at))
    return next(live, None)


def all_released(store: Store, run_id: str) -> bool:
    """Return whether every owner of the run has left it."""
    return all(lease.released for _, lease in _leases(store, run_id))


def _leases(store: Store, run_id: str) -> Iterator[tuple[ObjectInfo, Lease]]:
    for info in list(store.list(layout.leases(run_id))):
        with suppress(NotFoundError):
            yield info, read_lease(partial(store.read, info.path), info.path)


def read_lease(read: Callable[[], Blob], path: str) -> Lease:
    """Return a stored lease; a damaged one stands for an unknown owner until it expires."""
    unknown = Lease(owner=UNKNOWN, execution="", task=0, attempt=0, nonce="")
    return unless_damaged(
        lambda: Lease.from_json(read().data, path=path),
        unknown,
        then="its owner is unknown, so the lease is left alone until it expires",
    )


def last_sign(store: Store, run_id: str) -> datetime | None:
    """Return when a lease of the run was last written (bucket's clock), None if it has none."""
    return max((info.updated for info in store.list(layout.leases(run_id))), default=None)


class BucketClock:
    """The bucket's time: read once, when it is first asked for, then measured from there.

    It is never ahead of the bucket's own, so that a lease is not thought older than it is.
    """

    def __init__(self, store: Store, path: str) -> None:
        self._store, self._path = store, path
        self._read: tuple[datetime, float] | None = None

    def __call__(self) -> datetime:
        """Return the bucket's time."""
        if self._read is None:
            self._read = bucket_time(self._store, self._path), time.monotonic()
        at, since = self._read
        return at + timedelta(seconds=time.monotonic() - since)


def bucket_time(store: Store, path: str) -> datetime:
    """Return the bucket's time, by writing a small object at `path`."""
    store.write(path, b"{}")
    info = store.stat(path)
    if info is None:
        raise TransientError(f"`{path}` vanished from {store.url} after it was written")
    return info.updated
