"""Expected minutes and money of a run, and what it came to."""

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
    """What a run is expected to take.

    Attributes:
        work: what it has to do.
        machine: what is rented for each of its tasks.
        history: what the model was corrected by.
        parts: seconds of each part, one after the other.
        amount: price of all tasks, in `currency`.
        rows_from: where the number of rows comes from.
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
        """By the clock, from the start of the process to the event."""
        return sum(self.parts.values())

    @property
    def minutes(self) -> float:
        """By the clock."""
        return self.seconds / 60

    def to_json(self) -> dict[str, Any]:
        """The form of manifest, event and `mmm plan --json`."""
        prices = load_prices()
        return {
            "seconds": round(self.seconds, 1),
            "minutes": round(self.minutes, 2),
            "amount": round(self.amount, 4),
            "currency": self.currency,
            "parts": {part: round(seconds, 1) for part, seconds in self.parts.items()},
            "work": self.work.to_json(),
            "rows_from": self.rows_from,
            "machine": self.machine.to_json(),
            "history": {
                "runs": self.history.runs,
                "of": self.history.whose,
                "ratios": dict(self.history.ratios),
            },
            "prices": {"date": prices.date.isoformat(), "source": prices.source},
        }


def make_estimate(work: Work, machine: Machine, history: History, *, rows_from: str) -> Estimate:
    """The model's seconds times the history's ratios, and their price."""
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
    """Price of all tasks: one makes the outputs, the others end with their trials."""
    prices = load_prices()
    whole = sum(parts[part] for part in PARTS)
    until_trials = whole - parts["outputs"]

    def one(seconds: float) -> float:
        return prices.amount(seconds, vcpus=machine.vcpus, gib=machine.gib, region=machine.region)

    return one(whole) + (tasks - 1) * one(until_trials)


def actual(
    *, seconds: float, timings: Mapping[str, float], machine: Machine, tasks: int, resumed: bool
) -> dict[str, Any]:
    """What a run came to: `timings` are R's seconds by step, as the manifest has them.

    `resumed` says that an earlier attempt did some of the work, which these seconds lack.
    """
    plots = timings.get("r.plots", 0.0)
    parts: dict[Part, float] = {
        "inputs": timings.get("r.inputs", 0.0),
        "trials": timings.get("r.trials", 0.0),
        "outputs": timings.get("r.outputs", 0.0) + plots,
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
