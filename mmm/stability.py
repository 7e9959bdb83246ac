"""Draw a market's posterior again at the end of each of its last periods, and learn tolerances.

A run is HELD if a channel's figures change too much from the accepted run. How much is too much
differs from market to market. Here the posterior is drawn for the data as they were at the end of
each of the last periods, and compared as nightly runs are. The search is not run again: where a
run has a posterior, the comparison uses its figures alone.
"""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import active_children
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel

from contract.limits import Promotion
from job.outputs.drift import ChannelDrift, Metrics, beyond, compare
from job.posterior.draws import draw
from job.posterior.market import MarketData
from job.posterior.priors import Priors
from job.posterior.summary import summarise
from job.posterior.validation import first_periods
from job.runtime.signals import STOPPING

T = TypeVar("T")
R = TypeVar("R")
LEAST_PERIODS = 26  # of the shortest data that are drawn
_SHARE = 0.98  # of the periods that the proposed tolerances let pass
_STEP, _LEAST = 0.05, 0.1


class End(BaseModel, frozen=True):
    """The end of one period, compared with the one that was accepted last.

    Attributes:
        last: the first day of the last period.
        changes: the relative change of each channel's ROAS; the same up and down.
        reasons: why a run at this end would be HELD; empty if it would be accepted.
    """

    last: str
    changes: dict[str, float]
    reasons: list[str]


class Stability(BaseModel, frozen=True):
    """The result of `mmm stability`.

    Attributes:
        run_id: the run whose data and config were used.
        ends: one for each period but the first.
        held: how many of them would be HELD by the config's `promotion`.
        median_change, high_change: of a channel's ROAS: the median and the 95th percentile.
        max_roas_change, max_share_change: the tolerances that would let 98% of the ends pass.
    """

    run_id: str
    market: str
    ends: list[End]
    held: int
    median_change: float
    high_change: float
    max_roas_change: float
    max_share_change: float


@dataclass(frozen=True, kw_only=True)
class Step:
    """A comparison with the accepted run before it."""

    channels: Sequence[ChannelDrift]
    reasons: list[str]


def ends_of(market: MarketData, periods: int) -> list[int]:
    """Return how many periods the data have at each of the last ends, the earliest first."""
    first = max(market.periods - periods, min(LEAST_PERIODS, market.periods))
    return list(range(first, market.periods + 1))


def metrics_at(periods: int, *, market: MarketData, priors: Priors, seed: int, sweeps: int) -> Any:
    """Return the figures that a run would have had when the data had so many periods."""
    seen = first_periods(market, periods)
    draws = draw(seen, seed=seed, priors=priors, sweeps=sweeps)
    return {"posterior": summarise(draws, seen, priors, seed=seed).to_dict()}


def walk(found: Sequence[Metrics], promotion: Promotion, *, measure: str) -> Iterator[Step]:
    """Compare each run after the first with the one that was accepted last.

    `measure` is ROAS or CPA.
    """
    current = found[0]
    for metrics in found[1:]:
        channels = compare(current, metrics)
        reasons = list(beyond(channels, promotion, measure=measure))
        yield Step(channels=channels, reasons=reasons)
        current = current if reasons else metrics


def measure_stability(
    market: MarketData,
    priors: Priors,
    promotion: Promotion,
    *,
    days: Sequence[str],
    periods: int,
    seed: int,
    sweeps: int,
    workers: int,
    measure: str,
    done: Callable[[], None] = lambda: None,
) -> tuple[list[End], float, float]:
    """Return the ends, and the tolerances of ROAS and share that would let most of them pass.

    `days` are the first days of the modelled periods, `periods` the number of ends after the first
    one, `workers` the number of processes. `done` is called after each end that is drawn.
    """
    numbers, found = ends_of(market, periods), []
    draw_one = partial(metrics_at, market=market, priors=priors, seed=seed, sweeps=sweeps)
    with _in_parallel(draw_one, numbers, workers) as results:
        for metrics in results:
            found.append(metrics)
            done()
    steps = list(walk(found, promotion, measure=measure))
    # Against the run before, whatever today's tolerances are.
    unlimited = Promotion(max_roas_change=None, max_share_change=None)
    free = list(walk(found, unlimited, measure=measure))
    ends = [
        End(last=days[number - 1], changes=changes_of(step), reasons=step.reasons)
        for number, step in zip(numbers[1:], steps, strict=True)
    ]
    roas = [max(changes_of(step).values(), default=0.0) for step in free]
    share = [
        max((abs(c.after.share - c.before.share) for c in step.channels), default=0.0)
        for step in free
    ]
    return ends, tolerance(roas), tolerance(share)


@contextmanager
def _in_parallel(
    call: Callable[[T], R], values: Sequence[T], workers: int
) -> Iterator[Iterator[R]]:
    """Yield results from processes that end at once, without a word, if the block is left early.

    Ctrl-C reaches every process of the terminal, but only this one answers it.
    """
    with ProcessPoolExecutor(workers, initializer=_leave_signals_to_parent) as pool:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)  # until they ignore signals
        try:
            results = pool.map(call, values)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        try:
            yield results
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in active_children():
                process.terminate()
            raise


def _leave_signals_to_parent() -> None:
    for number in STOPPING:
        ending = number == signal.SIGTERM  # this is how the parent ends its processes
        signal.signal(number, signal.SIG_DFL if ending else signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


def changes_of(step: Step) -> dict[str, float]:
    """Return the relative change of each channel's ROAS; the same up and down, none from 0."""
    out = {}
    for channel in step.channels:
        low, high = sorted((channel.before.roas, channel.after.roas))
        if low > 0:
            out[channel.name] = high / low - 1
    return out


def tolerance(changes: Sequence[float]) -> float:
    """Return the smallest multiple of 5% that lets 98% of the changes pass; at least 10%."""
    needed = float(np.quantile(changes, _SHARE, method="higher")) if len(changes) else 0.0
    return round(max(_LEAST, _STEP * math.ceil(needed / _STEP + 1e-9)), 2)
