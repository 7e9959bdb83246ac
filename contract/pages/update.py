"""Keep `robyn/index.html`, a page about all markets and their newest runs.

The page carries its entries as JSON, so an update reads it, adds what the statuses say that it
lacks, and writes it by compare and swap. It can be lost: it is made again from the statuses.
A run that ends in a job (in a bucket, at most one a minute), a decision by hand, and a pass of
`reconcile` that closed a run update it.
What an update reads is bounded: the names of the runs since two days before the newest one that it
shows (14 days without a page), at most MAX_READ statuses of those that are not known to have ended,
and the `current.json` of each market.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Container, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from contract import layout, runid
from contract.damage import unless_damaged
from contract.exceptions import MMMError, NotFoundError, PreconditionError
from contract.open_runs import HORIZON, first_of
from contract.pages.index import BEGIN, END, Entry, MarketRow, render_index
from contract.run import State, Status, now, read_status
from contract.stored import read_fields
from contract.stores import Store
from contract.stores.atomic import stored, update
from contract.stores.base import Blob

MAX_RUNS = 20  # of a market
MAX_MARKETS = 200
MAX_READ = 400
AT_ONCE = 16  # reads of the bucket
RECENT = timedelta(seconds=60)
OVERLAP = timedelta(days=2)  # no run that was never seen is older than the newest one by more
HTML = "text/html; charset=utf-8"
log = logging.getLogger("mmm.index")


def show_changes(store: Store, *, again: Collection[str] = ()) -> None:
    """Update the page, and warn if that fails: nothing depends on it, the next update does it."""
    try:
        update_index(store, again=again)
    except MMMError as error:
        log.warning("`%s` was not updated; the next update does it: %s", layout.index(), error)


def show_end(store: Store) -> None:
    """Update the page after the end of a run, unless another run does so or did within RECENT.

    A bucket takes one write a second of an object, and hundreds of runs may end at once. Only the
    run that writes the page first reads the others' statuses. Runs that end meanwhile are shown by
    the next update, such as that of `reconcile`. A folder has no such limit.
    """
    if not store.write_pause or _may_update(store):
        show_changes(store)


def _may_update(store: Store) -> bool:
    """Return whether the page is old, and this process is the first to write it again."""
    try:
        info = store.stat(layout.index())
        if info is not None and now() - info.updated <= RECENT:
            return False
        old = stored(store, layout.index())
        page = old.data if old else render_index([], []).encode()
        generation = old.generation if old else 0
        store.write(layout.index(), page, if_generation=generation, content_type=HTML)
    except PreconditionError:
        return False
    except MMMError as error:
        log.warning("`%s` was not updated; the next update does it: %s", layout.index(), error)
        return False
    return True


def update_index(store: Store, *, again: Collection[str] = ()) -> None:
    """Show what has changed since the last update; runs in `again` are shown anew if they ended.

    Raises:
        TransientError: other writers changed the page again and again, or the bucket does not
            answer; the next update shows the run too.
    """
    known = _entries(stored(store, layout.index()))
    found = _read(store, _unknown(store, known) | known.keys() & again)

    def change(old: Blob | None) -> bytes:
        # What is current is read after the page, at each attempt: whoever moves a pointer updates
        # the page afterwards, so the last of two updates has seen both moves.
        shown = _entries(old) | found
        currents = _currents(store, sorted({(e.market, e.revision) for e in shown.values()}))
        more = _read(store, {run for run in currents.values() if run} - shown.keys())
        before = {run: entry for run, entry in _entries(old).items() if run not in again}
        entries = _merged(before, found | more, set(currents.values()))
        return render_index(_rows(entries, currents), list(entries)).encode()

    update(store, layout.index(), change, content_type=HTML)


def _entries(page: Blob | None) -> dict[str, Entry]:
    """Return the entries of a page by run; none if there is no page, or no whole one."""
    text = page.data.decode("utf-8", "replace") if page else ""
    document = text.partition(BEGIN)[2].partition(END)[0]
    try:
        entries = [Entry.model_validate(item) for item in json.loads(document or "[]")]
    except (ValueError, ValidationError):
        return {}
    return {entry.run_id: entry for entry in entries}


def _unknown(store: Store, known: Mapping[str, Entry]) -> set[str]:
    """Return the runs that the page lacks, or does not show as ended."""
    newest = runid.time_of(max(known)) if known else None
    start = first_of(min(newest, now()), OVERLAP) if newest else first_of(now(), HORIZON)
    names = store.folders(layout.RUNS, start=start)
    lacking = {name for name in names if runid.is_valid(name) and name not in known}
    return lacking | {run for run, entry in known.items() if not entry.state.is_terminal}


def _read(store: Store, runs: Iterable[str]) -> dict[str, Entry]:
    """Read the statuses of runs, at most MAX_READ of the newest."""

    def one(run_id: str) -> Status | None:
        then = "it is not in the page about all markets"
        return unless_damaged(lambda: read_status(store, run_id), None, then=then)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = pool.map(one, sorted(runs, reverse=True)[:MAX_READ])
        return {s.run_id: _entry(s) for s in statuses if s is not None and s.market}


def _entry(status: Status) -> Entry:
    outcome: Mapping[str, Any] = status.outcome
    metrics: Mapping[str, Any] = outcome.get("best_model") or {}
    own = status.state in (State.SUCCEEDED, State.HELD)
    return Entry(
        run_id=status.run_id,
        market=status.market,
        revision=status.revision,
        state=status.state,
        ended_at=status.updated_at,
        verdict=(outcome.get("verdict") or {}).get("verdict"),
        rsq=metrics.get("rsq_train") if own else None,
        roas=_roas(metrics) if own else None,
        is_revenue=metrics.get("target_kind", "revenue") == "revenue",
        has_report=own and bool(outcome.get("report_uri")),
    )


def _roas(metrics: Mapping[str, Any]) -> float | None:
    """Return the ROAS of all paid media: by the posterior, or else of the chosen model."""
    posterior = metrics.get("posterior")
    if posterior:
        return float(posterior["total"]["roas"]["median"])
    channels = metrics.get("channels") or []
    spend = sum(channel.get("spend") or 0.0 for channel in channels)
    total = sum(channel.get("contribution") or 0.0 for channel in channels)
    return total / spend if spend else None


def _merged(
    old: Mapping[str, Entry], found: Mapping[str, Entry], currents: Container[str | None]
) -> list[Entry]:
    """Return the newest runs of each market and its current one.

    What has ended once does not change again.
    """
    entries = {**old}
    for run_id, entry in found.items():
        if run_id not in entries or not entries[run_id].state.is_terminal:
            entries[run_id] = entry
    kept: dict[tuple[str, str], list[Entry]] = {}
    for entry in sorted(entries.values(), key=lambda one: one.run_id, reverse=True):
        place = kept.setdefault((entry.market, entry.revision), [])
        if len(place) < MAX_RUNS or entry.run_id in currents:
            place.append(entry)
    newest = sorted(kept.values(), key=lambda runs: runs[0].run_id, reverse=True)[:MAX_MARKETS]
    return [entry for runs in newest for entry in runs]


def _rows(
    entries: Iterable[Entry], currents: Mapping[tuple[str, str], str | None]
) -> list[MarketRow]:
    """Return a row for each market, in the order of their names."""
    runs: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        runs.setdefault((entry.market, entry.revision), []).append(entry)
    return [
        MarketRow(market=place[0], revision=place[1], current=currents.get(place), runs=runs[place])
        for place in sorted(runs)
    ]


def _currents(store: Store, places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str | None]:
    """Return the current run of each market."""

    def one(place: tuple[str, str]) -> str | None:
        path = layout.current(place[1], place[0])

        def read() -> str | None:
            try:
                return str(read_fields(store.read(path).data, "run_id", path=path)["run_id"])
            except NotFoundError:
                return None

        return unless_damaged(read, None, then="no run is shown as the market's current one")

    places = list(places)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(places, pool.map(one, places), strict=True))
