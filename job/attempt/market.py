"""A run's turn on its market: taken, waited for here, or left to `reconcile`."""

from __future__ import annotations

import time
from datetime import timedelta

from contract.config import WhenBusy
from contract.exceptions import CancelledError
from contract.market import GRACE, count, take
from contract.run import State, Status, change_status
from job.attempt.context import Run

POLL_SECONDS = 2.0


def take_turn(run: Run) -> str | None:
    """Take the market, and count the run; returns the run that is before it, None once taken.

    On Cloud Run nobody pays for waiting: the attempt leaves, and `reconcile` launches the run again
    when it is its turn. A command waits where it is.

    Raises:
        LimitError: the market is busy and the run is not to wait, or too many runs began today.
        CancelledError: told to stop while it waited.
    """
    limits, settings = run.config.limits, run.settings
    with run.trace.step("limits") as detail:
        told = False
        while before := take(
            run.store,
            run.request,
            wait=limits.when_busy is WhenBusy.WAIT,
            cap=limits.max_runs_a_day,
            max_waiting=settings.max_waiting,
            grace=timedelta(0) if settings.waits_here else GRACE,
        ):
            if not settings.waits_here:
                detail["waits_for"] = before
                return before
            if not told:
                told = True
                run.log.info(f"waiting for run {before} on market {run.request.market}")
            if reason := run.stop():
                raise CancelledError(reason)
            time.sleep(POLL_SECONDS)
        if settings.max_runs_a_day is not None:
            count(run.store, run.run_id, settings.max_runs_a_day)
    return None


def leave(run: Run, before: str) -> Status:
    """Put the run back to ACCEPTED: `reconcile` launches it again when it is its turn.

    Raises:
        CancelledError: somebody else works on the run by now.
    """
    run.lease.confirm()
    execution = run.settings.execution
    run.log.info(f"run {before} is before this one on market {run.request.market}; leaving")
    return change_status(
        run.store,
        run.run_id,
        lambda old: {
            "state": State.ACCEPTED,
            "execution": None,
            "launch": None,
            "waits_for": before,
            "left": list(dict.fromkeys([*old.left, execution])),
            "step": None,
            "heartbeat_at": None,
        },
    )
