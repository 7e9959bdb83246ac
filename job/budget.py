"""A run's estimate and its limits: checked before anything is read, and once the rows are known.

The estimate that a run was let through with is kept under the run. A later attempt and other tasks
read it there, so that a run which has begun is not refused half-way.
"""

from __future__ import annotations

import json
import time
from typing import Any

import psutil

from contract import layout
from contract.base import canonical_json
from contract.exceptions import NotFoundError, PreconditionError
from contract.run import now
from job.cost import limits
from job.cost.estimate import Estimate, actual, make_estimate
from job.cost.history import History, read_history
from job.cost.machine import this_machine
from job.cost.work import expected_rows, work_of
from job.engine import engine_here
from job.run import Run
from job.sources import Snapshot

ESTIMATE = "estimate.json"


def check_early(run: Run) -> None:
    """Refuse by what the config and past runs say, where the config sets a limit.

    Raises:
        LimitError: the run is over a limit.
    """
    bounds = run.config.limits
    if bounds.max_cost is None and bounds.max_minutes is None:
        return
    if _stored(run) is not None:
        return
    with run.trace.step("estimate") as detail:
        history = _history(run)
        rows, rows_from = expected_rows(run.config, today=now().date(), last_run=history.rows)
        if rows is None:
            detail["checked"] = "once the rows are known"
            return
        estimate = _estimate(run, history, rows=rows, rows_from=rows_from)
        detail.update(_in_short(estimate))
        limits.require(bounds, estimate)


def check_rows(run: Run, snapshot: Snapshot) -> None:
    """Estimate the run by its data, refuse it where it is over a limit, and keep the estimate.

    Raises:
        LimitError: the run is over a limit.
    """
    run.estimate = _stored(run)
    if run.estimate is not None:
        return
    with run.trace.step("estimate") as detail:
        events = len(snapshot.annotations.names) if snapshot.annotations else 0
        estimate = _estimate(
            run, _history(run), rows=snapshot.rows, rows_from="the extract", events=events
        )
        detail.update(_in_short(estimate))
        limits.require(run.config.limits, estimate)
        try:
            path = layout.work(run.run_id, ESTIMATE)
            run.store.write(path, canonical_json(estimate.to_json()), if_generation=0)
        except PreconditionError:
            run.estimate = _stored(run)


def cost_of(run: Run, timings: dict[str, float] | None = None) -> dict[str, Any]:
    """Estimate and actual cost up to now, for manifest and event.

    Args:
        run: The attempt.
        timings: R's seconds by step, where R has ended.
    """
    made = actual(
        seconds=time.time() - psutil.Process().create_time(),
        timings=timings or {},
        machine=this_machine(),
        tasks=run.tasks,
        resumed=run.tasks > 1 or _resumed(run),
    )
    return {"estimate": run.estimate, "actual": made}


def _resumed(run: Run) -> bool:
    """Whether an earlier attempt did some of the work."""
    return any(s.detail.get("reused") or s.detail.get("resumed_trials") for s in run.trace.steps)


def _estimate(
    run: Run, history: History, *, rows: int, rows_from: str, events: int = 0
) -> Estimate:
    work = work_of(
        run.config,
        engine=_engine(run),
        rows=rows,
        cores=run.cores,
        tasks=run.tasks,
        events=events,
    )
    estimate = make_estimate(work, this_machine(), history, rows_from=rows_from)
    run.estimate = estimate.to_json()
    return estimate


def _history(run: Run) -> History:
    return read_history(
        run.store, market=run.config.market, revision=run.config.revision, engine=_engine(run)
    )


def _engine(run: Run) -> str:
    settings = run.settings
    return engine_here(run.config.training.engine, rscript=settings.rscript, r_root=settings.r_root)


def _stored(run: Run) -> dict[str, Any] | None:
    try:
        return dict(json.loads(run.store.read(layout.work(run.run_id, ESTIMATE)).data))
    except NotFoundError:
        return None


def _in_short(estimate: Estimate) -> dict[str, Any]:
    return {
        "minutes": round(estimate.minutes, 2),
        "amount": round(estimate.amount, 4),
        "currency": estimate.currency,
        "history": str(estimate.history),
    }
