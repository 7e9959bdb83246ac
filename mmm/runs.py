"""The runs of a bucket: newest first, one in detail, and by market."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import Any

from pydantic import BaseModel

from contract import layout
from contract.damage import unless_damaged
from contract.exceptions import ConfigError, NotFoundError
from contract.open_runs import open_runs, read_ended
from contract.pause import Pause
from contract.printable import short
from contract.run import State, Status, now, read_status
from contract.runid import is_valid
from contract.stored import read_fields
from contract.stores import Store
from job.outputs.ledger import last_action
from mmm.pauses import paused_markets

AT_ONCE = 16  # reads of a bucket
ALLOWED = "a run id, e.g. `20261123T020000Z-1a2b3c4d`, or a market (its current run)"


class Run(BaseModel, frozen=True):
    """A run as `mmm list` and `mmm show` print it.

    Attributes:
        is_current: whether the market's `current.json` names the run.
        verdict: PASS, REVIEW or FAIL; None for a run without a result.
        seconds: from the request to the end, or to the last sign of a run that has not ended.
        problem: why the run failed or waits.
        held: why the run is held.
        data_until: the last day of the data; None for a run without a result.
    """

    run_id: str
    market: str
    revision: str
    state: State
    is_current: bool
    verdict: str | None
    created_at: datetime
    updated_at: datetime
    seconds: float
    step: str | None
    progress: dict[str, Any]
    steps: list[dict[str, Any]]
    attempt: int
    execution: str | None
    waits_for: str | None
    problem: str | None
    held: list[str]
    data_until: str | None
    findings: list[dict[str, Any]]
    warnings: list[str]
    duplicate_of: str | None
    report_uri: str | None
    artifacts_uri: str | None


class Statuses:
    """Statuses of runs, for readers of many lists: one of a run that has ended is read once.

    It never changes. At most `most` are kept.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._known: OrderedDict[tuple[str, str], Status] = OrderedDict()

    def read(self, store: Store, run_id: str) -> Status | None:
        """Return the status of a run, None if there is none or it is damaged."""
        known = self._known.get((store.url, run_id))
        if known is not None:
            return known
        status = unless_damaged(
            lambda: read_status(store, run_id),
            None,
            then="its run is not listed; see `mmm doctor`",
        )
        if status is not None and status.state.is_terminal:
            self._known[store.url, run_id] = status
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return status


def newest(
    store: Store,
    *,
    market: str | None = None,
    state: State | None = None,
    limit: int = 20,
    statuses: Statuses | None = None,
) -> list[Run]:
    """Return the newest runs, newest first; those whose status is damaged are left out."""
    return list(islice(_matching(store, market, state, statuses or Statuses()), limit))


def finished(
    store: Store, market: str, revision: str, *, limit: int, statuses: Statuses | None = None
) -> list[Run]:
    """Return the newest runs of a market and revision that have artifacts, newest first."""
    statuses = statuses or Statuses()
    folders = store.folders(_artifacts(revision, market))
    newest_first = sorted(filter(is_valid, folders), reverse=True)[:limit]
    current = current_run(store, revision, market)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda run_id: statuses.read(store, run_id), newest_first)
        return [_run(status, current) for status in found if status is not None]


def find(store: Store, text: str, *, revision: str) -> Run:
    """Return the run that a command names, by its id or by its market.

    Raises:
        ConfigError: there is no such run.
        DamagedError: its status cannot be read.
    """
    run_id = text if is_valid(text) else current_run(store, revision, text)
    status = read_status(store, run_id) if run_id else None
    if status is None:
        raise ConfigError(
            f"there is no run `{short(text)}` of revision `{short(revision)}` in {store.url}; "
            f"allowed: {ALLOWED}; `mmm list` shows the runs"
        )
    return _run(status, current_run(store, status.revision, status.market))


def newest_of(store: Store, text: str) -> Status:
    """Return the status of the run that a command names, by its id or as its market's newest.

    Raises:
        ConfigError: there is no such run.
        DamagedError: its status cannot be read.
    """
    run_id = (
        text
        if is_valid(text)
        else next((r.run_id for r in _matching(store, text, None, Statuses())), "")
    )
    status = read_status(store, run_id) if run_id else None
    if status is None:
        raise ConfigError(
            f"there is no run `{short(text)}` in {store.url}; allowed: a run id, or a market with "
            "a run; `mmm list` shows the runs"
        )
    return status


def _matching(
    store: Store, market: str | None, state: State | None, statuses: Statuses
) -> Iterator[Run]:
    names = sorted(filter(is_valid, store.folders(layout.RUNS)), reverse=True)
    currents: dict[tuple[str, str], str | None] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for first in range(0, len(names), AT_ONCE):
            some = names[first : first + AT_ONCE]
            for status in pool.map(lambda run_id: statuses.read(store, run_id), some):
                if status is None or (state and status.state is not state):
                    continue
                if market is not None and status.market != market:
                    continue
                place = (status.revision, status.market)
                if place not in currents:
                    currents[place] = current_run(store, *place)
                yield _run(status, currents[place])


def current_run(store: Store, revision: str, market: str) -> str | None:
    """Return the current run of a market, None if there is none that can be read."""
    path = layout.current(revision, market)

    def read() -> str | None:
        try:
            return str(read_fields(store.read(path).data, "run_id", path=path)["run_id"])
        except NotFoundError:
            return None

    return unless_damaged(read, None, then="no run is shown as the market's current one")


def _run(status: Status, current: str | None) -> Run:
    outcome = status.outcome
    verdict = outcome.get("verdict") or {}
    error = status.error.message if status.error else None
    return Run(
        run_id=status.run_id,
        market=status.market,
        revision=status.revision,
        state=status.state,
        is_current=status.run_id == current,
        verdict=verdict.get("verdict"),
        created_at=status.created_at,
        updated_at=status.updated_at,
        seconds=(status.updated_at - status.created_at).total_seconds(),
        step=status.step,
        progress=status.progress,
        steps=status.steps,
        attempt=status.attempt,
        execution=status.execution,
        waits_for=status.waits_for,
        problem=error or (f"waits for run {status.waits_for}" if status.waits_for else None),
        held=(outcome.get("drift") or {}).get("reasons", []),
        data_until=(outcome.get("best_model") or {}).get("window_end"),
        findings=verdict.get("findings", []),
        warnings=outcome.get("warnings") or [],
        duplicate_of=outcome.get("duplicate_of"),
        report_uri=outcome.get("report_uri"),
        artifacts_uri=outcome.get("artifacts_uri"),
    )


def _artifacts(revision: str, market: str) -> str:
    """Return the folder of a market's results."""
    return layout.artifacts(revision, market, "").rstrip("/") + "/"


class MarketState(BaseModel, frozen=True):
    """A market as `mmm status` prints it.

    Attributes:
        current: the current run, None before the first success.
        held: the newest run, if it is newer than the current one and waits for a decision.
        open: the runs that have not ended, oldest first.
        pause: who paused the market, when and why; None also if that cannot be read.
    """

    market: str
    revision: str
    current: Run | None
    held: Run | None
    open: list[Run]
    is_paused: bool
    pause: Pause | None


def markets(store: Store, *, statuses: Statuses | None = None) -> list[MarketState]:
    """Return every market that is paused or has a current run or one that has not ended, by name.

    A paused market without a run has no revision.
    """
    statuses = statuses or Statuses()
    unfinished: dict[tuple[str, str], list[Run]] = {}
    for run_id in open_runs(store, read_ended(store), at=now()):
        status = statuses.read(store, run_id)
        if status is not None and not status.state.is_terminal:
            run = _run(status, None)
            unfinished.setdefault((run.market, run.revision), []).append(run)
    known = {
        (market, revision)
        for revision in store.folders(layout.ARTIFACTS)
        for market in store.folders(f"{layout.ARTIFACTS}{revision}/")
    }
    pauses = paused_markets(store)
    known |= unfinished.keys()
    known |= {(name, "") for name in pauses.keys() - {market for market, _ in known}}
    places = sorted(known)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda place: _current_and_held(store, *place, statuses=statuses), places)
        return [
            MarketState(
                market=place[0],
                revision=place[1],
                current=current,
                held=held,
                open=unfinished.get(place, []),
                is_paused=place[0] in pauses,
                pause=pauses.get(place[0]),
            )
            for place, (current, held) in zip(places, found, strict=True)
            if current or held or place in unfinished or place[0] in pauses
        ]


def _current_and_held(
    store: Store, market: str, revision: str, *, statuses: Statuses
) -> tuple[Run | None, Run | None]:
    run_id = current_run(store, revision, market)
    status = statuses.read(store, run_id) if run_id else None
    current = _run(status, run_id) if status else None
    folders = store.folders(_artifacts(revision, market), start=run_id or "")
    newest = max(filter(is_valid, folders), default="")
    if newest <= (run_id or ""):
        return current, None
    latest = statuses.read(store, newest)
    if latest is None or latest.state is not State.HELD:
        return current, None
    _, by_person = last_action(store, revision, market, newest)
    return current, _run(latest, run_id) if by_person is None else None
