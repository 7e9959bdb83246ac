"""Who works on a run, and until when nobody else may.

A lease's age is told by the bucket's clock alone: when its object was last written, and what the
bucket's time is now. The clocks of the machines that work on a run may be off by any amount.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import Field

from contract import layout
from contract.exceptions import NotFoundError, TransientError
from contract.stored import Stored
from contract.stores.base import Store

LEASE_SECONDS = 120.0


class Lease(Stored):
    """`runs/<run id>/lease.json`; `nonce` tells two equal owners apart.

    `manifest` is the path of the manifest that an owner decided on once all artifacts were there.
    Whoever takes the lease over publishes that one and writes no artifact any more.
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
        """Whether its owner may still be at work at a time; both times are the bucket's."""
        return not self.released and at - written < timedelta(seconds=self.seconds)


def live_lease(store: Store, run_id: str, *, at: datetime) -> Lease | None:
    """The lease of somebody who may be at work on the run, whichever task it is; else None.

    `at` is the bucket's time. A lease that is renewed while it is looked at is live.
    """
    for info in list(store.list(layout.leases(run_id))):
        try:
            lease = Lease.from_json(store.read(info.path).data, path=info.path)
        except NotFoundError:
            continue
        if lease.is_live(written=info.updated, at=at):
            return lease
    return None


def last_sign(store: Store, run_id: str) -> datetime | None:
    """When any lease of a run was written last, by the bucket's clock; None where it has none."""
    return max((info.updated for info in store.list(layout.leases(run_id))), default=None)


def bucket_time(store: Store, path: str) -> datetime:
    """The bucket's time, learnt by writing a small object at `path`."""
    store.write(path, b"{}")
    info = store.stat(path)
    if info is None:
        raise TransientError(f"`{path}` vanished from {store.url} after it was written")
    return info.updated
