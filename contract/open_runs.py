"""Find the runs that may still be open without looking at every run that ever was.

`reconcile` keeps a list of the runs that have ended. A run older than HORIZON is looked at only if
the list names it as still open, so both the list and the listing of the bucket stay bounded.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from contract import layout, runid
from contract.damage import unless_damaged
from contract.exceptions import NotFoundError
from contract.stored import Stored
from contract.stores.base import Store

FIRST = datetime(2000, 1, 1, tzinfo=UTC)
HORIZON = timedelta(days=14)


class Ended(Stored):
    """`reconcile/closed.json`.

    Attributes:
        runs: the runs within HORIZON that have ended.
        older: the runs before HORIZON that are still open; None if they are not known, as in the
            list of an older version.
    """

    runs: list[str] = []
    older: list[str] | None = None


def read_ended(store: Store) -> Ended:
    """Return the list of runs that have ended; an empty one if it is missing or damaged."""
    path = layout.closed_runs()

    def read() -> Ended:
        try:
            return Ended.from_json(store.read(path).data, path=path)
        except NotFoundError:
            return Ended()

    return unless_damaged(read, Ended(), then="every run is looked at once")


def open_runs(
    store: Store, ended: Ended, *, at: datetime, horizon: timedelta = HORIZON
) -> list[str]:
    """Return the runs that are not known to have ended, oldest first; `at` is bucket time."""
    start = "" if ended.older is None else first_of(at, horizon)
    recent = {name for name in store.folders(layout.RUNS, start=start) if runid.is_valid(name)}
    return sorted((recent | set(ended.older or [])) - set(ended.runs))


def first_of(at: datetime, horizon: timedelta) -> str:
    """Return the first possible id of a run within `horizon` before `at`."""
    return f"{max(at - horizon, FIRST):%Y%m%dT%H%M%SZ}"
