"""Check an estimate against `limits` of the config, before the run costs anything."""

from __future__ import annotations

from contract.config import Limits
from contract.exceptions import LimitError
from job.cost.estimate import Estimate

STEP = "limits"


def problems(limits: Limits, estimate: Estimate) -> list[str]:
    """Return one sentence for each limit that the estimate exceeds."""
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
    return exceeded


def require(limits: Limits, estimate: Estimate) -> None:
    """Refuse a run that is over its limits.

    Raises:
        LimitError: The estimate exceeds a limit; the error has one sentence per limit.
    """
    exceeded = problems(limits, estimate)
    if exceeded:
        raise LimitError(exceeded, step=STEP)
