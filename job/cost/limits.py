"""Check an estimate against `limits` of the config and the machine's memory, before a run costs."""

from __future__ import annotations

from contract.config import Limits
from contract.exceptions import LimitError
from job.cost.estimate import Estimate
from job.cost.memory import needed_gib

STEP = "limits"


def problems(limits: Limits, estimate: Estimate) -> list[str]:
    """Return one sentence for each limit that the estimate exceeds, and for too little memory.

    A task without enough memory would be killed by the kernel, after it cost most of its price.
    """
    exceeded = []
    remedy = "raise the limit, or reduce iterations, trials or one-pagers"
    basis = f"{estimate.work.rows} rows ({estimate.rows_from}), {estimate.history}"
    if limits.max_minutes is not None and estimate.minutes > limits.max_minutes:
        exceeded.append(
            f"`limits.max_minutes` is {limits.max_minutes:g}, but the run is estimated at "
            f"{estimate.minutes:.1f} minutes ({basis}); {remedy}, or use more cores"
        )
    if limits.max_cost is not None and estimate.amount > limits.max_cost:
        exceeded.append(
            f"`limits.max_cost` is {limits.max_cost:g} {estimate.currency}, but the run is "
            f"estimated at {estimate.amount:.4f} {estimate.currency} ({estimate.machine}; {basis});"
            f" {remedy}"
        )
    work, needed = estimate.work, needed_gib(estimate.work)
    if needed > estimate.machine.gib:
        exceeded.append(
            f"the run needs about {needed:.1f} GiB, files in /tmp included, but a task has "
            f"{estimate.machine.gib:g} GiB ({min(work.cores, work.trials)} trials at once, "
            f"{work.trials * work.iterations} models, {work.media} media, {work.rows} rows); give "
            "the job more memory, or reduce `training.cores`, trials or iterations"
        )
    return exceeded


def require(limits: Limits, estimate: Estimate) -> None:
    """Refuse a run that is over its limits.

    Raises:
        LimitError: The estimate exceeds a limit or the memory; one sentence for each.
    """
    exceeded = problems(limits, estimate)
    if exceeded:
        raise LimitError(exceeded, step=STEP)
