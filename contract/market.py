"""Which run works on a market, which runs wait for it, and which began today: one object.

A run holds its market from its first attempt to its end; it never releases it explicitly. The
market becomes free when its holder has ended, or when the holder's lease expired `grace` ago. Runs
that find it busy wait in a queue, in order of acceptance. The first run in the queue that is still
alive is next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contract import environment, layout
from contract.base import Strict
from contract.damage import unless_damaged, warn
from contract.exceptions import DamagedError, LimitError
from contract.lease import LEASE_SECONDS, BucketClock, all_released, is_recent, last_sign
from contract.market_runs import runs_of_market
from contract.pause import refuse_if_paused
from contract.request import Request
from contract.run import State, read_status
from contract.stored import Moment, Stored
from contract.stores.atomic import stored, update
from contract.stores.base import Blob, Store

GRACE = timedelta(minutes=10)
MAX_WAITING = 100
CONTENTION_SECONDS = 600.0  # the bucket takes one write a second, and many runs may come at once


class Waiting(Strict):
    """A run in the queue."""

    accepted_at: Moment
    run_id: str


class DailyRuns(Stored):
    """The runs that began on one day (UTC), by the bucket's clock."""

    day: date = date.min
    runs: list[str] = []

    def on(self, day: date) -> DailyRuns:
        """Return the runs of a day: none on another day, even if a wrong clock wrote one."""
        return self if day == self.day else DailyRuns(day=day)

    def including(self, run_id: str) -> DailyRuns:
        """Return the same runs and this one; a run counts once."""
        return self if run_id in self.runs else DailyRuns(day=self.day, runs=[*self.runs, run_id])

    def check(self, run_id: str, cap: int | None, what: str, setting: str) -> None:
        """Raise LimitError if one more run would exceed `cap`."""
        if cap is not None and run_id not in self.runs and len(self.runs) >= cap:
            raise LimitError(
                f"{what} has had {len(self.runs)} runs on {self.day} (UTC); "
                f"allowed: {cap} a day (`{setting}`)"
            )


class Market(Stored):
    """`markets/<market>.json`."""

    holder: str | None = None
    waiting: list[Waiting] = []
    today: DailyRuns = DailyRuns()

    def waits(self, run_id: str) -> bool:
        """Return whether a run is in the queue."""
        return any(one.run_id == run_id for one in self.waiting)


@dataclass(frozen=True, kw_only=True)
class Position:
    """A run's position: `ahead` is the run that must end first, None if it is this run's turn."""

    ahead: str | None
    queue: Sequence[Waiting]


def take_market(
    store: Store,
    request: Request,
    *,
    wait: bool = True,
    cap: int | None = None,
    max_waiting: int = MAX_WAITING,
    grace: timedelta = GRACE,
) -> str | None:
    """Take the market for a run, or join the queue.

    Returns:
        The run that is ahead, None if this run now holds the market.

    Raises:
        PausedError: the market is paused, and the run does not hold it yet.
        LimitError: the market is busy and the run must not wait, or `max_waiting` others wait
            already, or `cap` runs began today.
        TransientError: another writer came between at every attempt.
    """
    ahead: str | None = None
    clock = BucketClock(store, layout.clock(request.run_id))

    def acquire(blob: Blob | None) -> bytes | None:
        nonlocal ahead
        market, ahead = _market(store, blob, request.market, clock), None
        if market.holder == request.run_id:
            return None
        refuse_if_paused(store, request.market)
        position = _position(store, market, request, grace, clock)
        ahead = position.ahead
        if ahead is None:
            today = market.today.on(clock().date())
            today.check(request.run_id, cap, f"market `{request.market}`", "limits.max_runs_a_day")
            queue = [other for other in position.queue if other.run_id != request.run_id]
            new = Market(
                holder=request.run_id, waiting=queue, today=today.including(request.run_id)
            )
        elif not wait:
            raise LimitError(
                f"run {ahead} is working on market `{request.market}` or is next; allowed: one "
                "run at a time (`limits.when_busy` is `refuse`)"
            )
        else:
            queue = list(position.queue)
            if len(queue) > max_waiting and not market.waits(request.run_id):
                queue = _without_ended(store, queue, request, max_waiting, grace, clock)
            new = market.model_copy(update={"waiting": queue})
        data = new.to_json()
        return None if blob is not None and blob.data == data else data

    update(store, layout.market(request.market), acquire, patience=CONTENTION_SECONDS)
    return ahead


def keep_market(store: Store, request: Request) -> bool:
    """Return whether the run still holds its market, and write the object again if it does.

    A run that is about to take the market of a silent holder then finds the object changed, and
    checks again.

    Raises:
        TransientError: another writer came between at every attempt.
    """
    kept = False

    def rewrite(blob: Blob | None) -> bytes | None:
        nonlocal kept
        clock = BucketClock(store, layout.clock(request.run_id))
        market = _market(store, blob, request.market, clock)
        kept = market.holder == request.run_id
        return market.to_json() if kept else None

    update(store, layout.market(request.market), rewrite, patience=CONTENTION_SECONDS)
    return kept


def run_ahead(store: Store, request: Request, *, at: datetime) -> str | None:
    """Return the run that is ahead of this one, None if there is none; `at` is bucket time."""
    blob = stored(store, layout.market(request.market))
    market = _market(store, blob, request.market, lambda: at)
    if market.holder == request.run_id:
        return None
    return _position(store, market, request, GRACE, lambda: at).ahead


def count_run(store: Store, run_id: str, cap: int) -> None:
    """Count a run among all runs of the deployment that began today.

    Raises:
        LimitError: `cap` runs have begun already.
        TransientError: another writer came between at every attempt.
    """
    path = layout.today()
    clock = BucketClock(store, layout.clock(run_id, "day"))

    def count(blob: Blob | None) -> bytes | None:
        old = unless_damaged(
            lambda: DailyRuns.from_json(blob.data, path=path) if blob else DailyRuns(),
            DailyRuns(),
            then="the runs of the day are counted from here on",
        )
        today = old.on(clock().date())
        today.check(run_id, cap, "this deployment", environment.MAX_RUNS_A_DAY)
        new = today.including(run_id)
        return None if new == old else new.to_json()

    update(store, path, count, patience=CONTENTION_SECONDS)


def _market(store: Store, blob: Blob | None, name: str, clock: Callable[[], datetime]) -> Market:
    """Return the stored market, or a free one if there is none.

    If it is damaged, holder and queue are found from the runs themselves.
    """
    if blob is None:
        return Market()
    try:
        return Market.from_json(blob.data, path=layout.market(name))
    except DamagedError as error:
        warn(error, then="its holder and queue are found from its runs")
    holder, waiting = runs_of_market(store, name, at=clock(), within=GRACE)
    queue = [Waiting(accepted_at=one.created_at, run_id=one.run_id) for one in waiting]
    return Market(holder=holder, waiting=queue)


def _position(
    store: Store,
    market: Market,
    request: Request,
    grace: timedelta,
    clock: Callable[[], datetime],
) -> Position:
    """Return the queue with this run in it, without the runs ahead of it that have died."""
    here = [one for one in market.waiting if one.run_id == request.run_id]
    mine = here[0] if here else Waiting(accepted_at=request.accepted_at, run_id=request.run_id)
    others = [other for other in market.waiting if other.run_id != request.run_id]
    queue = sorted([*others, mine], key=lambda one: (one.accepted_at, one.run_id))
    ahead = (
        market.holder if market.holder and _is_alive(store, market.holder, grace, clock) else None
    )
    while ahead is None and queue[0] != mine:
        if _is_alive(store, queue[0].run_id, grace, clock):
            ahead = queue[0].run_id
        else:
            queue.pop(0)
    return Position(ahead=ahead, queue=queue)


def _without_ended(
    store: Store,
    queue: Sequence[Waiting],
    request: Request,
    max_waiting: int,
    grace: timedelta,
    clock: Callable[[], datetime],
) -> list[Waiting]:
    """Return a queue that is too long without the runs in it that have ended.

    Raises:
        LimitError: it is still too long.
    """
    others = [one for one in queue if one.run_id != request.run_id]
    ended = {one.run_id for one in others if not _is_alive(store, one.run_id, grace, clock)}
    if len(others) - len(ended) >= max_waiting:
        raise LimitError(
            f"{len(others) - len(ended)} runs already wait for market `{request.market}`; "
            f"allowed: {max_waiting} (`{environment.MAX_WAITING}`)"
        )
    return [one for one in queue if one.run_id not in ended]


def _is_alive(store: Store, run_id: str, grace: timedelta, clock: Callable[[], datetime]) -> bool:
    """Return whether a run will still work: not ended, and its lease kept up if it has begun.

    A run whose status is damaged counts as one that has begun.
    """
    try:
        status = read_status(store, run_id)
    except DamagedError as error:
        warn(error, then="only its lease says whether its run is at work")
        if all_released(store, run_id):
            return False
    else:
        if status is None or status.state.is_terminal:
            return False
        if status.state is not State.RUNNING:  # it waits for its turn or for its launch
            return True
    sign = last_sign(store, run_id)
    within = timedelta(seconds=LEASE_SECONDS) + grace
    return sign is not None and is_recent(sign, clock(), within)
