"""Who works on a market, who waits for it, and which runs began today: one object, by generation.

A run holds its market from its first attempt to its end; nobody gives it back. It is free again
when its holder has ended, or has been silent for `grace` beyond its lease. Runs that found it busy
stand in line by the time of their acceptance, and the first of them that still lives is next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contract import layout
from contract.base import Strict
from contract.exceptions import LimitError, NotFoundError
from contract.lease import LEASE_SECONDS, bucket_time, last_sign
from contract.request import Request
from contract.run import State, now, read_status
from contract.stored import Moment, Stored
from contract.stores.atomic import update
from contract.stores.base import Blob, Store

GRACE = timedelta(minutes=10)
MAX_WAITING = 100


class Waiting(Strict):
    """A run in the line."""

    accepted_at: Moment
    run_id: str


class Tally(Stored):
    """The runs that began on one day (UTC)."""

    day: date = date.min
    runs: list[str] = []

    def on(self, day: date) -> Tally:
        """The tally of a day: empty where it is a new one; clocks that go back change nothing."""
        return self if day <= self.day else Tally(day=day)

    def counting(self, run_id: str) -> Tally:
        """With a run, which counts once."""
        return self if run_id in self.runs else Tally(day=self.day, runs=[*self.runs, run_id])

    def check(self, run_id: str, cap: int | None, what: str, setting: str) -> None:
        """Raises LimitError where a run that is not in it is one too many."""
        if cap is not None and run_id not in self.runs and len(self.runs) >= cap:
            raise LimitError(
                f"{what} has had {len(self.runs)} runs on {self.day} (UTC); "
                f"allowed: {cap} a day (`{setting}`)"
            )


class Market(Stored):
    """`markets/<market>.json`."""

    holder: str | None = None
    waiting: list[Waiting] = []
    today: Tally = Tally()

    def waits(self, run_id: str) -> bool:
        """Whether a run stands in the line."""
        return any(one.run_id == run_id for one in self.waiting)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run stands: `before` is the run that goes before it, None where it is its turn."""

    before: str | None
    line: Sequence[Waiting]


def take(
    store: Store,
    request: Request,
    *,
    wait: bool = True,
    cap: int | None = None,
    max_waiting: int = MAX_WAITING,
    grace: timedelta = GRACE,
) -> str | None:
    """Take the market for a run, or stand in line; returns the run that goes before it, else None.

    Raises:
        LimitError: it is busy and the run is not to wait, `max_waiting` others wait already, or
            `cap` runs began today.
        TransientError: another writer came between at every attempt.
    """
    before: str | None = None

    def clock() -> datetime:
        return bucket_time(store, layout.clock(request.run_id))

    def taken(blob: Blob | None) -> bytes | None:
        nonlocal before
        market, before = _market(blob, request.market), None
        if market.holder == request.run_id:
            return None
        place = _place(store, market, request, grace, clock)
        before = place.before
        if before is None:
            today = market.today.on(now().date())
            today.check(request.run_id, cap, f"market `{request.market}`", "limits.max_runs_a_day")
            line = [other for other in place.line if other.run_id != request.run_id]
            new = Market(holder=request.run_id, waiting=line, today=today.counting(request.run_id))
        elif not wait:
            raise LimitError(
                f"run {before} works on market `{request.market}` or is next; allowed: one "
                "run at a time (`limits.when_busy` is `refuse`)"
            )
        else:
            line = list(place.line)
            if len(line) > max_waiting and not market.waits(request.run_id):
                line = _alive(store, line, request, max_waiting, grace, clock)
            new = market.model_copy(update={"waiting": line})
        return None if new == market else new.to_json()

    update(store, layout.market(request.market), taken)
    return before


def keep_market(store: Store, request: Request) -> bool:
    """Whether the run still holds its market; written anew, so that nobody takes it unawares.

    Whoever is about to take a silent run's market finds its object changed, and looks again.

    Raises:
        TransientError: another writer came between at every attempt.
    """
    kept = False

    def rewritten(blob: Blob | None) -> bytes | None:
        nonlocal kept
        market = _market(blob, request.market)
        kept = market.holder == request.run_id
        return market.to_json() if kept else None

    update(store, layout.market(request.market), rewritten)
    return kept


def next_before(store: Store, request: Request, *, at: datetime) -> str | None:
    """The run that goes before this one on its market, None where it is its turn.

    `at` is the bucket's time.
    """
    try:
        market = _market(store.read(layout.market(request.market)), request.market)
    except NotFoundError:
        market = Market()
    if market.holder == request.run_id:
        return None
    return _place(store, market, request, GRACE, lambda: at).before


def count(store: Store, run_id: str, cap: int) -> None:
    """Count a run among all that began today, whatever their market.

    Raises:
        LimitError: there are `cap` already.
        TransientError: another writer came between at every attempt.
    """
    path = layout.today()

    def counted(blob: Blob | None) -> bytes | None:
        old = Tally.from_json(blob.data, path=path) if blob else Tally()
        today = old.on(now().date())
        today.check(run_id, cap, "this deployment", "MMM_MAX_RUNS_A_DAY")
        new = today.counting(run_id)
        return None if new == old else new.to_json()

    update(store, path, counted)


def _market(blob: Blob | None, name: str) -> Market:
    """The stored market; one without a holder if there is none."""
    return Market.from_json(blob.data, path=layout.market(name)) if blob else Market()


def _place(
    store: Store,
    market: Market,
    request: Request,
    grace: timedelta,
    clock: Callable[[], datetime],
) -> Place:
    """The line with this run in it and without the dead that stood before it."""
    mine = Waiting(accepted_at=request.accepted_at, run_id=request.run_id)
    others = [other for other in market.waiting if other.run_id != request.run_id]
    line = sorted([*others, mine], key=lambda one: (one.accepted_at, one.run_id))
    before = market.holder if market.holder and _lives(store, market.holder, grace, clock) else None
    while before is None and line[0] != mine:
        if _lives(store, line[0].run_id, grace, clock):
            before = line[0].run_id
        else:
            line.pop(0)
    return Place(before=before, line=line)


def _alive(
    store: Store,
    line: Sequence[Waiting],
    request: Request,
    longest: int,
    grace: timedelta,
    clock: Callable[[], datetime],
) -> list[Waiting]:
    """A line that is too long, without the runs in it that have ended.

    Raises:
        LimitError: it is too long still.
    """
    others = [one for one in line if one.run_id != request.run_id]
    ended = {one.run_id for one in others if not _lives(store, one.run_id, grace, clock)}
    if len(others) - len(ended) >= longest:
        raise LimitError(
            f"{len(others) - len(ended)} runs wait for market `{request.market}` already; "
            f"allowed: {longest} (`MMM_MAX_WAITING`)"
        )
    return [one for one in line if one.run_id not in ended]


def _lives(store: Store, run_id: str, grace: timedelta, clock: Callable[[], datetime]) -> bool:
    """Whether a run will still work: it has not ended, and if it has begun, somebody is at it."""
    status = read_status(store, run_id)
    if status is None or status.state.is_terminal:
        return False
    if status.state is not State.RUNNING:  # it waits for its turn, or is being launched
        return True
    sign = last_sign(store, run_id)
    return sign is not None and clock() - sign < timedelta(seconds=LEASE_SECONDS) + grace
