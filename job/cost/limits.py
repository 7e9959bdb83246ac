"""`limits` of the config: a run over them is refused before it costs anything."""

from __future__ import annotations

from contract.config import Limits
from contract.exceptions import LimitError
from job.cost.estimate import Estimate

STEP = "limits"


def problems(limits: Limits, estimate: Estimate) -> list[str]:
    """One sentence per limit that the estimate is over."""
    found = []
    less = "raise it, or ask for less: fewer iterations, trials or one-pagers"
    basis = f"{estimate.work.rows} rows ({estimate.rows_from}), {estimate.history}"
    if limits.max_minutes is not None and estimate.minutes > limits.max_minutes:
        found.append(
            f"`limits.max_minutes` is {limits.max_minutes:g}, but the run is estimated at "
            f"{estimate.minutes:.1f} minutes ({basis}); {less}, or more cores"
        )
    if limits.max_cost is not None and estimate.amount > limits.max_cost:
        found.append(
            f"`limits.max_cost` is {limits.max_cost:g} {estimate.currency}, but the run is "
            f"estimated at {estimate.amount:.4f} {estimate.currency} ({estimate.machine}; {basis});"
            f" {less}"
        )
    return found


def require(limits: Limits, estimate: Estimate) -> None:
    """Refuse a run over its limits.

    Raises:
        LimitError: one sentence per limit.
    """
    found = problems(limits, estimate)
    if found:
        raise LimitError(found, step=STEP)
