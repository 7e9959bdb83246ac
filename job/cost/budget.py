"""Estimate a run and check its limits: before anything is read, and once the rows are known.

The estimate that a run started with is stored under the run. Later attempts and other tasks read it
there, so that a run which has begun is not refused halfway.
"""

from __future__ import annotations

import time
from typing import Any

import psutil

from contract import layout
from contract.base import canonical_json
from contract.damage import unless_damaged
from contract.exceptions import NotFoundError
from contract.run import now
from contract.stored import read_fields
from contract.stores.atomic import create
from job.attempt.context import Attempt
from job.cost import limits
from job.cost.estimate import Estimate, actual, make_estimate
from job.cost.history import History, read_history
from job.cost.machine import this_machine
from job.cost.work import expected_rows, work_of
from job.sources import Snapshot
from job.train.engine import engine_here

ESTIMATE = "estimate.json"


def check_early(attempt: Attempt) -> None:
    """Check the limits of the config against an estimate from the config and past runs.

    Raises:
        LimitError: the run is over a limit.
    """
    bounds = attempt.config.limits
    if bounds.max_cost is None and bounds.max_minutes is None:
        return
    if _stored(attempt) is not None:
        return
    with attempt.trace.step("estimate") as detail:
        history = _history(attempt)
        rows, rows_from = expected_rows(attempt.config, today=now().date(), last_run=history.rows)
        if rows is None:
            detail["checked"] = "once the rows are known"
            return
        estimate = _estimate(attempt, history, rows=rows, rows_from=rows_from)
        detail.update(_in_short(estimate))
        limits.require(bounds, estimate)


def check_rows(attempt: Attempt, snapshot: Snapshot) -> None:
    """Estimate the run from its data, check the limits, and store the estimate.

    Raises:
        LimitError: the run is over a limit.
    """
    attempt.estimate = _stored(attempt)
    if attempt.estimate is not None:
        return
    with attempt.trace.step("estimate") as detail:
        annotations = len(snapshot.annotations.names) if snapshot.annotations else 0
        estimate = _estimate(
            attempt,
            _history(attempt),
            rows=snapshot.rows,
            rows_from="the extract",
            annotations=annotations,
        )
        detail.update(_in_short(estimate))
        limits.require(attempt.config.limits, estimate)
        path = layout.work(attempt.run_id, ESTIMATE)
        if not create(attempt.store, path, canonical_json(estimate.to_json())):
            attempt.estimate = _stored(attempt) or estimate.to_json()


def cost_of(attempt: Attempt, timings: dict[str, float] | None = None) -> dict[str, Any]:
    """Return the estimate and the actual cost up to now, for manifest and event.

    Args:
        attempt: The attempt.
        timings: R's seconds by step, where R has ended.
    """
    made = actual(
        seconds=time.time() - psutil.Process().create_time(),
        timings=timings or {},
        posterior=sum(s.seconds or 0.0 for s in attempt.trace.steps if s.name == "posterior"),
        machine=this_machine(),
        tasks=attempt.tasks,
        resumed=attempt.tasks > 1 or _resumed(attempt),
    )
    return {"estimate": attempt.estimate, "actual": made}


def _resumed(attempt: Attempt) -> bool:
    """Return whether an earlier attempt did part of the work."""
    return any(
        s.detail.get("reused") or s.detail.get("resumed_trials") for s in attempt.trace.steps
    )


def _estimate(
    attempt: Attempt, history: History, *, rows: int, rows_from: str, annotations: int = 0
) -> Estimate:
    work = work_of(
        attempt.config,
        engine=_engine(attempt),
        rows=rows,
        cores=attempt.cores,
        tasks=attempt.tasks,
        annotations=annotations,
    )
    estimate = make_estimate(work, this_machine(), history, rows_from=rows_from)
    attempt.estimate = estimate.to_json()
    return estimate


def _history(attempt: Attempt) -> History:
    return read_history(
        attempt.store,
        market=attempt.config.market,
        revision=attempt.config.revision,
        engine=_engine(attempt),
    )


def _engine(attempt: Attempt) -> str:
    settings = attempt.settings
    return engine_here(
        attempt.config.training.engine, rscript=settings.rscript, r_root=settings.r_root
    )


def _stored(attempt: Attempt) -> dict[str, Any] | None:
    path = layout.work(attempt.run_id, ESTIMATE)

    def read() -> dict[str, Any] | None:
        try:
            return read_fields(attempt.store.read(path).data, path=path)
        except NotFoundError:
            return None

    return unless_damaged(read, None, then="the run is estimated again")


def _in_short(estimate: Estimate) -> dict[str, Any]:
    return {
        "minutes": round(estimate.minutes, 2),
        "amount": round(estimate.amount, 4),
        "currency": estimate.currency,
        "history": str(estimate.history),
    }
