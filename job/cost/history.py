"""How long past runs took beside what the model says of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from contract import layout
from contract.exceptions import NotFoundError
from contract.stores import Store
from job.cost.model import PARTS, Part, predict
from job.cost.work import Work

RUNS = 5
_LOOKED_AT = 20  # manifests and folders, so that a large bucket costs no more than a small one
_BOUNDS = (0.2, 5.0)  # a ratio beyond these is an accident rather than a machine


@dataclass(frozen=True, kw_only=True)
class History:
    """What past runs teach.

    Attributes:
        ratios: actual by predicted seconds of each part; 1 where there is no past run.
        runs: how many runs that is from.
        whose: market and revision, or `other markets`.
        rows: of the market's last run.
    """

    ratios: dict[Part, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 1.0))
    runs: int = 0
    whose: str | None = None
    rows: int | None = None

    def __str__(self) -> str:
        if not self.runs:
            return "no past run"
        return f"{self.runs} past run{'s' if self.runs > 1 else ''} of {self.whose}"


@dataclass(frozen=True, kw_only=True)
class _Past:
    work: Work
    seconds: dict[Part, float]


def read_history(store: Store, *, market: str, revision: str, engine: str) -> History:
    """The last runs of a market and revision with an engine, else those of any market."""
    own = list(_runs(store, revision, market))
    rows = own[0].work.rows if own else None
    same = [past for past in own if past.work.engine == engine][:RUNS]
    if same:
        return History(
            ratios=_ratios(same), runs=len(same), whose=f"{market} ({revision})", rows=rows
        )
    others = []
    for past in _all_runs(store, but=(revision, market)):
        if past.work.engine == engine:
            others.append(past)
        if len(others) == RUNS:
            break
    if not others:
        return History(rows=rows)
    return History(ratios=_ratios(others), runs=len(others), whose="other markets", rows=rows)


def _ratios(runs: list[_Past]) -> dict[Part, float]:
    """The median of the runs' ratios, part by part."""
    low, high = _BOUNDS
    ratios: dict[Part, float] = {}
    for part in PARTS:
        each = [past.seconds[part] / max(predict(past.work)[part], 0.01) for past in runs]
        ratios[part] = round(min(max(median(each), low), high), 3)
    return ratios


def _runs(store: Store, revision: str, market: str) -> Iterator[_Past]:
    """Finished runs of a market, the newest first."""
    prefix = layout.artifacts(revision, market, "").rstrip("/") + "/"
    found = 0
    for run_id in sorted(store.folders(prefix), reverse=True)[:_LOOKED_AT]:
        try:
            manifest = json.loads(store.read(layout.manifest(revision, market, run_id)).data)
        except NotFoundError:
            continue
        past = _past(manifest)
        if past is not None:
            yield past
            found += 1
        if found == RUNS:
            return


def _all_runs(store: Store, *, but: tuple[str, str]) -> Iterator[_Past]:
    looked_at = 0
    for revision in sorted(store.folders("robyn/"), reverse=True):
        for market in store.folders(f"robyn/{revision}/"):
            if (revision, market) != but:
                yield from _runs(store, revision, market)
                looked_at += 1
            if looked_at == _LOOKED_AT:
                return


def _past(manifest: dict[str, Any]) -> _Past | None:
    """What a manifest tells; None for one of a resumed run or of a version that did not measure."""
    cost = manifest.get("cost") or {}
    actual, estimate = cost.get("actual") or {}, cost.get("estimate") or {}
    seconds, work = actual.get("parts"), estimate.get("work")
    if not seconds or not work or actual.get("resumed"):
        return None
    return _Past(work=Work.from_json(work), seconds={part: float(seconds[part]) for part in PARTS})
