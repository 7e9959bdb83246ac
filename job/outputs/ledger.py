"""The ledger: every decision about which run is a market's current one, written once.

A decision is an object below `decisions/<revision>/<market>/<run id>/`; none is ever changed. Its
name has who decided and what, so that a look at the names says whether a run is accepted. The order
of decisions is the order in which the bucket stored them. A person's decision outweighs the job's.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

from contract import layout
from contract.run import State, Status
from contract.stored import Moment, Stored
from contract.stores import Store
from contract.stores.atomic import create

JOB = "job"


class Action(StrEnum):
    """What a decision does: the run becomes current, or may not be, or is deleted."""

    PROMOTE = "promote"
    HOLD = "hold"
    ROLLBACK = "rollback"
    DELETE = "delete"


ABOUT_CURRENT = (Action.PROMOTE, Action.HOLD, Action.ROLLBACK)


class Decision(Stored):
    """`decisions/<revision>/<market>/<run id>/<by>-<action>.json`.

    `evidence` is what the decision was made on: the verdict, the drift, the run that was current.
    """

    run_id: str
    market: str
    revision: str
    action: Action
    by: str
    at: Moment
    reason: str
    evidence: dict[str, Any] = {}


def record(store: Store, decision: Decision) -> bool:
    """Write a decision; return False if the job has recorded this one before."""
    who = JOB if decision.by == JOB else f"{decision.at:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
    path = layout.decision(
        decision.revision, decision.market, decision.run_id, f"{who}-{decision.action}.json"
    )
    return create(store, path, decision.to_json())


def last_action(
    store: Store, revision: str, market: str, run_id: str
) -> tuple[Action | None, datetime | None]:
    """Return whether a run may be current by the last decision, and when a person made it.

    The time is None for the job's decision. A deletion decides nothing here: data that a person
    held stays held.
    """
    job: Action | None = None
    person: tuple[datetime, Action] | None = None
    for info in store.list(layout.decision(revision, market, run_id)):
        who, _, name = info.path.rpartition("/")[2].removesuffix(".json").rpartition("-")
        if name not in ABOUT_CURRENT:
            continue
        if who == JOB:
            job = Action(name)
        else:
            person = max(person or (info.updated, Action(name)), (info.updated, Action(name)))
    return (person[1], person[0]) if person else (job, None)


def is_accepted(store: Store, status: Status) -> bool:
    """Return whether a run may stand as its market's current one.

    A run that SUCCEEDED is accepted unless a person held it or rolled back from it. A run that is
    HELD is not, unless a person promoted it.
    """
    if status.state not in (State.SUCCEEDED, State.HELD):
        return False
    action, by_person = last_action(store, status.revision, status.market, status.run_id)
    if by_person is None:
        return status.state is State.SUCCEEDED
    return action is Action.PROMOTE


def decisions(store: Store, revision: str, market: str) -> Iterator[Decision]:
    """Yield the decisions about a market's runs, in the order in which they were stored.

    Raises:
        DamagedError: a decision cannot be read.
    """
    infos = store.list(layout.decision(revision, market, "").rstrip("/") + "/")
    for info in sorted(infos, key=lambda info: (info.updated, info.path)):
        yield Decision.from_json(store.read(info.path).data, path=info.path)
