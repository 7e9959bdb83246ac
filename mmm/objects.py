"""Every kind of object in the bucket that this project reads again: how to check and to mend it.

`docs/bucket.md` has the same list, with the writers and with what happens before the repair.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from contract import layout
from contract.base import canonical_json
from contract.events import Event, Outbox
from contract.exceptions import DamagedError
from contract.lease import Lease, bucket_time
from contract.market import GRACE, DailyRuns, Market, Waiting
from contract.market_runs import runs_of_market
from contract.open_runs import Ended
from contract.pause import Pause
from contract.rejection import Rejection
from contract.request import Request
from contract.run import Status, now, read_status
from contract.runid import is_valid
from contract.stored import Stored, read_fields
from contract.stores import Store
from contract.terminal import event_data
from job.gate.previous import Quality
from job.outputs.ledger import Decision
from job.outputs.manifest import Manifest
from job.outputs.pointer import newest_pointer

Check = Callable[[bytes, str], object]
Rebuild = Callable[[Store, str], bytes | None]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of object.

    Attributes:
        name: its path, with `<…>` for the parts that differ.
        prefix: where objects of this kind are.
        check: raises DamagedError if the bytes at a path are damaged.
        remedy: what `mmm doctor --repair` does, as a sentence without its full stop.
        rebuild: makes the object again from others; None if it cannot be made.
    """

    name: str
    prefix: str
    check: Check
    remedy: str
    rebuild: Rebuild = lambda store, path: None

    @property
    def is_lease(self) -> bool:
        """Return whether the object is a lease, which an owner at work writes again itself."""
        return self.name.startswith("runs/<run id>/lease")

    def matches(self, path: str) -> bool:
        """Return whether an object at this path is of this kind."""
        parts = (
            "[^/]*" if part.startswith("<") else re.escape(part)
            for part in re.split(r"(<[^>]+>)", self.name)
        )
        return re.fullmatch("".join(parts), path) is not None


def _of(model: type[Stored]) -> Check:
    return lambda data, path: model.from_json(data, path=path)


def _of_run(model: type[Stored]) -> Check:
    return lambda data, path: model.from_json(data, path=path, run_id=_run_of(path))


def _run_of(path: str) -> str:
    return path.split("/")[1]


def _names_run(data: bytes, path: str) -> None:
    run_id = read_fields(data, "run_id", path=path)["run_id"]
    if not is_valid(run_id):
        raise DamagedError(path, f"`{run_id[:40]}` is not a run id")


def _is_object(data: bytes, path: str) -> None:
    read_fields(data, path=path)


def _key(data: bytes, path: str) -> None:
    _names_run(data, path)
    if "config" in read_fields(data, path=path):
        Request.from_json(data, path=path)


def _status(store: Store, path: str) -> bytes | None:
    """Make a terminal status from the run's event; any other run continues without its status."""
    run_id = _run_of(path)
    for info in store.list(layout.events(run_id)):
        try:
            event = Outbox.from_json(store.read(info.path).data, path=info.path).event
        except DamagedError:
            continue
        data = event.data
        if data.run_id != run_id or not data.state.is_terminal:
            continue
        return Status(
            run_id=run_id,
            state=data.state,
            market=data.market or "",
            revision=data.revision or "",
            created_at=event.time,
            updated_at=event.time,
            error=data.error,
            outcome=data.model_dump(mode="json"),
        ).to_json()
    return None


def _event(store: Store, path: str) -> bytes | None:
    """Make the event of a terminal status; it is published again, with the same id."""
    status = read_status(store, _run_of(path))
    if status is None or not status.state.is_terminal:
        return None
    event = Event.of(event_data(status), at=status.updated_at)
    same = path == layout.event(status.run_id, event.id)
    return Outbox(event=event).to_json() if same else None


def _market(store: Store, path: str) -> bytes | None:
    market = path.removeprefix(layout.MARKETS).removesuffix(".json")
    at = bucket_time(store, layout.reconcile_clock())
    holder, waiting = runs_of_market(store, market, at=at, within=GRACE)
    queue = [Waiting(accepted_at=one.created_at, run_id=one.run_id) for one in waiting]
    return Market(holder=holder, waiting=queue).to_json()


def _current(store: Store, path: str) -> bytes | None:
    _, revision, market, _ = path.split("/")
    pointer = newest_pointer(store, revision, market)
    return None if pointer is None else canonical_json({**pointer, "promoted_at": f"{now()}"})


ASIDE = "set it aside"
KINDS = (
    Kind(
        name="runs/<run id>/request.json",
        prefix=layout.RUNS,
        check=_of_run(Request),
        remedy=f"{ASIDE}; the run ends as FAILED at the next pass of `reconcile`, request it again",
    ),
    Kind(
        name="runs/<run id>/status.json",
        prefix=layout.RUNS,
        check=_of_run(Status),
        remedy=f"make it again from the run's event, or {ASIDE}: the run then continues",
        rebuild=_status,
    ),
    Kind(
        name="runs/<run id>/lease<task>.json",
        prefix=layout.RUNS,
        check=_of(Lease),
        remedy=f"{ASIDE}, unless it is younger than a lease: its owner writes it again",
    ),
    Kind(
        name="runs/<run id>/events/<event id>.json",
        prefix=layout.RUNS,
        check=_of(Outbox),
        remedy=f"make it again from the run's status, or {ASIDE}",
        rebuild=_event,
    ),
    Kind(
        name="runs/<run id>/work/estimate.json",
        prefix=layout.RUNS,
        check=_is_object,
        remedy=f"{ASIDE}; the run is estimated again",
    ),
    Kind(
        name="runs/<run id>/work/merge.json",
        prefix=layout.RUNS,
        check=_is_object,
        remedy=f"{ASIDE}; the next task that has all trials makes the outputs",
    ),
    Kind(
        name="keys/<SHA-256>.json",
        prefix=layout.KEYS,
        check=_key,
        remedy=f"{ASIDE}; the next message with the key is a new run",
    ),
    Kind(
        name="markets/<market>.json",
        prefix=layout.MARKETS,
        check=_of(Market),
        remedy="make it again from the statuses and leases of the open runs",
        rebuild=_market,
    ),
    Kind(
        name="paused/<market>.json",
        prefix=layout.PAUSED,
        check=_of(Pause),
        remedy=f"{ASIDE}; the market is no longer paused, pause it again",
    ),
    Kind(
        name="limits/today.json",
        prefix=layout.LIMITS,
        check=_of(DailyRuns),
        remedy=f"{ASIDE}; the runs of the day are counted from here on",
    ),
    Kind(
        name="robyn/<revision>/<market>/current.json",
        prefix=layout.ARTIFACTS,
        check=_names_run,
        remedy=f"make it again for the run that was accepted last and succeeded, or {ASIDE}",
        rebuild=_current,
    ),
    Kind(
        name="robyn/<revision>/<market>/<run id>/manifest.json",
        prefix=layout.ARTIFACTS,
        check=_of(Manifest),
        remedy=f"{ASIDE}; the run no longer counts as complete, train its data again",
    ),
    Kind(
        name="robyn/<revision>/<market>/<run id>/metrics.json",
        prefix=layout.ARTIFACTS,
        check=_is_object,
        remedy=f"{ASIDE}; train the data again",
    ),
    Kind(
        name="robyn/<revision>/<market>/<run id>/data_quality.json",
        prefix=layout.ARTIFACTS,
        check=_of(Quality),
        remedy=f"{ASIDE}; the next run is not compared with this one",
    ),
    Kind(
        name="fingerprints/<SHA-256>.json",
        prefix=layout.FINGERPRINTS,
        check=_names_run,
        remedy=f"{ASIDE}; the same data is trained once more",
    ),
    Kind(
        name="decisions/<revision>/<market>/<run id>/<decision>.json",
        prefix=layout.DECISIONS,
        check=_of(Decision),
        remedy=f"{ASIDE}; the decision no longer counts, make it again",
    ),
    Kind(
        name="rejected/<message>.json",
        prefix=layout.REJECTED,
        check=_of(Rejection),
        remedy=f"{ASIDE}; the message is no longer listed",
    ),
    Kind(
        name="reconcile/closed.json",
        prefix=layout.RECONCILE,
        check=_of(Ended),
        remedy=f"{ASIDE}; the next pass of `reconcile` looks at every run once",
    ),
)


def kind_of(path: str) -> Kind | None:
    """Return the kind of the object at a path, None if nothing reads it again."""
    return next((kind for kind in KINDS if kind.matches(path)), None)
