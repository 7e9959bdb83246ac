"""Compare the actual time of past runs with the model's prediction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from statistics import median

from pydantic import NonNegativeFloat

from contract import layout
from contract.base import Strict
from contract.damage import unless_damaged
from contract.exceptions import DamagedError, NotFoundError
from contract.stored import Stored
from contract.stores import Store
from job.cost.model import PARTS, Part, predict
from job.cost.work import Work

RUNS = 5
_MAX_READ = 20  # manifests per market, and markets, so a large bucket does not cost more time
_RATIO_BOUNDS = (0.2, 5.0)  # a ratio beyond these is an accident, not a property of the machine


@dataclass(frozen=True, kw_only=True)
class History:
    """The past runs that correct an estimate.

    Attributes:
        ratios: actual divided by predicted seconds of each part; 1 without past runs.
        runs: the number of past runs.
        origin: the market and revision of these runs, or "other markets".
        rows: the rows of the market's last run.
    """

    ratios: dict[Part, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 1.0))
    runs: int = 0
    origin: str | None = None
    rows: int | None = None

    def __str__(self) -> str:
        if not self.runs:
            return "no past runs"
        return f"{self.runs} past run{'s' if self.runs > 1 else ''} of {self.origin}"


class _Actual(Strict):
    parts: dict[str, NonNegativeFloat]
    resumed: bool = False


class _Estimate(Strict):
    work: Work


class _Cost(Strict):
    actual: _Actual | None = None
    estimate: _Estimate | None = None


class _Measured(Stored):
    """The part of a manifest that says how long its run took."""

    cost: _Cost | None = None


@dataclass(frozen=True, kw_only=True)
class _PastRun:
    work: Work
    seconds: dict[Part, float]


def read_history(store: Store, *, market: str, revision: str, engine: str) -> History:
    """Read the last runs of a market and revision with an engine, or else those of other markets.

    At most `RUNS` runs are used. Resumed runs are ignored.
    """
    own = list(_runs(store, revision, market))
    rows = own[0].work.rows if own else None
    same = [past for past in own if past.work.engine == engine][:RUNS]
    if same:
        return History(
            ratios=_ratios(same), runs=len(same), origin=f"{market} ({revision})", rows=rows
        )
    others = []
    for past in _runs_of_other_markets(store, revision, market):
        if past.work.engine == engine:
            others.append(past)
        if len(others) == RUNS:
            break
    if not others:
        return History(rows=rows)
    return History(ratios=_ratios(others), runs=len(others), origin="other markets", rows=rows)


def _ratios(runs: list[_PastRun]) -> dict[Part, float]:
    """Return the median ratio of actual to predicted seconds, for each part.

    It is 1 for a part that should take no time, as the posterior beside other parts.
    """
    low, high = _RATIO_BOUNDS
    ratios: dict[Part, float] = {}
    for part in PARTS:
        pairs = [(past.seconds[part], predict(past.work)[part]) for past in runs]
        each = [actual / predicted for actual, predicted in pairs if predicted > 0]
        ratios[part] = round(min(max(median(each), low), high), 3) if each else 1.0
    return ratios


def _runs(store: Store, revision: str, market: str) -> Iterator[_PastRun]:
    """Yield the finished runs of a market, newest first."""
    prefix = layout.artifacts(revision, market, "").rstrip("/") + "/"
    found = 0
    for run_id in sorted(store.folders(prefix), reverse=True)[:_MAX_READ]:
        path = layout.manifest(revision, market, run_id)
        past = unless_damaged(
            partial(_past_run, store, path), None, then="the estimate does not use its run"
        )
        if past is not None:
            yield past
            found += 1
        if found == RUNS:
            return


def _runs_of_other_markets(store: Store, own_revision: str, own_market: str) -> Iterator[_PastRun]:
    markets = 0
    for revision in sorted(store.folders(layout.ARTIFACTS), reverse=True):
        for market in store.folders(f"{layout.ARTIFACTS}{revision}/"):
            if (revision, market) != (own_revision, own_market):
                yield from _runs(store, revision, market)
                markets += 1
            if markets == _MAX_READ:
                return


def _past_run(store: Store, path: str) -> _PastRun | None:
    """Return the work and the time of a manifest's run; None if it was resumed or not measured.

    Raises:
        DamagedError: the manifest is damaged, or of a version that measured something else.
    """
    try:
        cost = _Measured.from_json(store.read(path).data, path=path).cost
    except NotFoundError:
        return None
    actual, estimate = (cost.actual, cost.estimate) if cost else (None, None)
    if actual is None or estimate is None or actual.resumed:
        return None
    if not actual.parts.keys() >= set(PARTS):
        raise DamagedError(path, f"`cost.actual.parts` has not all of {', '.join(PARTS)}")
    work = estimate.work
    if min(work.rows, work.trials, work.iterations, work.cores, work.tasks) < 1:
        raise DamagedError(path, "`cost.estimate.work` has a number below 1")
    return _PastRun(work=estimate.work, seconds={part: actual.parts[part] for part in PARTS})
