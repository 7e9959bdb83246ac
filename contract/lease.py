"""Who works on a run, and until when nobody else may."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Self

from contract import layout
from contract.base import Strict, canonical_json
from contract.exceptions import NotFoundError
from contract.run import now
from contract.stores.base import Store


class Lease(Strict):
    """`runs/<run id>/lease.json`; `nonce` tells two equal owners apart."""

    owner: str
    execution: str
    task: int
    attempt: int
    nonce: str
    expires_at: datetime
    released: bool = False

    @property
    def is_live(self) -> bool:
        """Whether its owner may still be at work."""
        return not self.released and self.expires_at > now()

    def to_json(self) -> bytes:
        """The stored form."""
        return canonical_json(self.model_dump(mode="json"))

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form."""
        return cls.model_validate(json.loads(data))


def live_lease(store: Store, run_id: str) -> Lease | None:
    """The lease of somebody who may be at work on the run, whichever task it is; else None."""
    for info in list(store.list(layout.leases(run_id))):
        try:
            lease = Lease.from_json(store.read(info.path).data)
        except NotFoundError:
            continue
        if lease.is_live:
            return lease
    return None
