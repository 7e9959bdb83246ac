"""Take the run's turn on its market: now, after waiting here, or in a later execution."""

from __future__ import annotations

import time
from datetime import timedelta

from contract.config import WhenBusy
from contract.exceptions import CancelledError
from contract.market import GRACE, count_run, take_market
from contract.run import State, Status, change_status
from job.attempt.context import Attempt

POLL_SECONDS = 2.0


def wait_for_market(attempt: Attempt) -> str | None:
    """Take the market and count the run; return the run ahead of it, None if the market is taken.

    Waiting on Cloud Run would cost money, so there the attempt exits, and `reconcile` launches the
    run again when its turn comes. `mmm run` waits in its own process.

    Raises:
        PausedError: the market is paused, and the run does not hold it yet.
        LimitError: the market is busy and the run must not wait, or too many runs began today.
        CancelledError: the attempt must stop.
    """
    limits, settings = attempt.config.limits, attempt.settings
    with attempt.trace.step("limits") as detail:
        logged = False
        while ahead := take_market(
            attempt.store,
            attempt.request,
            wait=limits.when_busy is WhenBusy.WAIT,
            cap=limits.max_runs_a_day,
            max_waiting=settings.max_waiting,
            grace=timedelta(0) if settings.waits_here else GRACE,
        ):
            if not settings.waits_here:
                detail["waits_for"] = ahead
                return ahead
            if not logged:
                logged = True
                attempt.log.info(f"waiting for run {ahead} on market {attempt.request.market}")
            if reason := attempt.stop():
                raise CancelledError(reason)
            time.sleep(POLL_SECONDS)
        if settings.max_runs_a_day is not None:
            count_run(attempt.store, attempt.run_id, settings.max_runs_a_day)
    return None


def give_way(attempt: Attempt, ahead: str) -> Status:
    """Set the run back to ACCEPTED: `reconcile` launches it again when it is its turn.

    Raises:
        CancelledError: another execution has taken over the run.
    """
    attempt.lease.confirm()
    execution = attempt.settings.execution
    attempt.log.info(
        f"run {ahead} is ahead of this run on market {attempt.request.market}; exiting"
    )
    return change_status(
        attempt.store,
        attempt.run_id,
        lambda old: {
            "state": State.ACCEPTED,
            "execution": None,
            "launch": None,
            "waits_for": ahead,
            "left": list(dict.fromkeys([*old.left, execution])),
            "step": None,
            "heartbeat_at": None,
        },
    )
