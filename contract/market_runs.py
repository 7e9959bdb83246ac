"""Who holds a market and who waits for it, found from the runs themselves.

It replaces the market's own object if that is damaged: it reads the status of every open run.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from contract.damage import unless_damaged
from contract.lease import LEASE_SECONDS, is_recent, last_sign
from contract.open_runs import open_runs, read_ended
from contract.run import State, Status, read_status
from contract.stores.base import Store

BEFORE_ITS_TURN = (None, "limits")  # the steps of a run that does not hold its market yet


def runs_of_market(
    store: Store, market: str, *, at: datetime, within: timedelta
) -> tuple[str | None, list[Status]]:
    """Return the run that works on a market, and the runs that wait for it.

    Args:
        store: The bucket.
        market: The market.
        at: The bucket's time.
        within: How long ago the lease of a run that works may have expired.
    """
    holder: tuple[datetime, str] | None = None
    waiting = []
    for run_id in open_runs(store, read_ended(store), at=at):
        status = unless_damaged(
            lambda: read_status(store, run_id),  # noqa: B023  called at once
            None,
            then="its run does not count as working on a market",
        )
        if status is None or status.market != market:
            continue
        if status.state is State.RUNNING and status.step not in BEFORE_ITS_TURN:
            sign = last_sign(store, run_id)
            if sign and is_recent(sign, at, timedelta(seconds=LEASE_SECONDS) + within):
                holder = max(holder or (sign, run_id), (sign, run_id))
        elif status.state is State.RUNNING or status.waits_for is not None:
            waiting.append(status)
    return (holder[1] if holder else None), waiting
