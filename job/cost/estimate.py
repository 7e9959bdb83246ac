"""The estimated time and cost of a run, and the actual values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from job.cost.history import History
from job.cost.machine import Machine
from job.cost.model import PARTS, Part, predict
from job.cost.prices import load_prices
from job.cost.work import Work


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The estimated time and cost of a run.

    Attributes:
        work: the size of the run.
        machine: the machine of each task.
        history: the past runs that correct the model.
        parts: seconds of each part; the parts run one after the other.
        amount: the price of all tasks, in `currency`.
        currency: the currency of `amount`.
        rows_from: the source of the number of rows, e.g. "the last run".
    """

    work: Work
    machine: Machine
    history: History
    parts: dict[Part, float]
    amount: float
    currency: str
    rows_from: str

    @property
    def seconds(self) -> float:
        """Return the elapsed time in seconds, from the start of the process to the event."""
        return sum(self.parts.values())

    @property
    def minutes(self) -> float:
        """Return the elapsed time in minutes."""
        return self.seconds / 60

    def to_json(self) -> dict[str, Any]:
        """Return JSON values for the manifest, the event and `mmm plan --json`."""
        prices = load_prices()
        return {
            "seconds": round(self.seconds, 1),
            "minutes": round(self.minutes, 2),
            "amount": round(self.amount, 4),
            "currency": self.currency,
            "parts": {part: round(seconds, 1) for part, seconds in self.parts.items()},
            "work": self.work.model_dump(),
            "rows_from": self.rows_from,
            "machine": self.machine.to_json(),
            "history": {
                "runs": self.history.runs,
                "of": self.history.origin,
                "ratios": dict(self.history.ratios),
            },
            "prices": {"date": prices.date.isoformat(), "source": prices.source},
        }


def make_estimate(work: Work, machine: Machine, history: History, *, rows_from: str) -> Estimate:
    """Predict the seconds of each part, correct them by the history, and compute the price."""
    parts: dict[Part, float] = {
        part: seconds * history.ratios[part] for part, seconds in predict(work).items()
    }
    return Estimate(
        work=work,
        machine=machine,
        history=history,
        parts=parts,
        amount=price(parts, machine, work.tasks),
        currency=load_prices().currency,
        rows_from=rows_from,
    )


def price(parts: Mapping[Part, float], machine: Machine, tasks: int) -> float:
    """Return the price of all tasks: one creates the outputs, the others end after their trials."""
    prices = load_prices()
    total = sum(parts[part] for part in PARTS)
    without_outputs = total - parts["outputs"]

    def task_price(seconds: float) -> float:
        return prices.amount(seconds, vcpus=machine.vcpus, gib=machine.gib, region=machine.region)

    return task_price(total) + (tasks - 1) * task_price(without_outputs)


def actual(
    *,
    seconds: float,
    timings: Mapping[str, float],
    posterior: float,
    machine: Machine,
    tasks: int,
    resumed: bool,
) -> dict[str, Any]:
    """Return the actual time and cost of a run, as JSON values.

    Args:
        seconds: The elapsed time of this attempt.
        timings: Seconds of R's steps, as in the manifest.
        posterior: Seconds that the run waited for the posterior and wrote it.
        machine: The machine of each task.
        tasks: The number of tasks.
        resumed: Whether an earlier attempt or another task did part of the work, which `seconds`
            does not include.
    """
    plots = timings.get("r.plots", 0.0)
    parts: dict[Part, float] = {
        "inputs": timings.get("r.inputs", 0.0),
        "trials": timings.get("r.trials", 0.0),
        "outputs": timings.get("r.outputs", 0.0) + plots,
        "posterior": posterior,
        "rest": 0.0,
    }
    parts["rest"] = max(seconds - sum(parts.values()), 0.0)
    return {
        "seconds": round(seconds, 1),
        "minutes": round(seconds / 60, 2),
        "amount": round(price(parts, machine, tasks), 4),
        "currency": load_prices().currency,
        "parts": {part: round(parts[part], 2) for part in PARTS},
        "resumed": resumed,
    }
