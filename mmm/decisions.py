"""Decide by hand which run is a market's current one: promote, hold, roll back.

Each decision goes into the ledger first. Then `current.json` follows, and the page about all
markets: the ledger says which runs are accepted, so a command that died in between can be given
again.
"""

from __future__ import annotations

import getpass
import socket
from datetime import datetime
from typing import Any

from contract import layout
from contract.base import canonical_json
from contract.exceptions import ConfigError
from contract.lease import bucket_time
from contract.pages.update import show_changes
from contract.printable import short
from contract.run import State, Status, read_status
from contract.runid import is_valid
from contract.stored import read_fields
from contract.stores import Store
from contract.stores.atomic import stored, update
from contract.stores.base import Blob
from contract.terminal import is_current
from job.outputs.duplicate import remember
from job.outputs.ledger import Action, Decision, record
from job.outputs.manifest import Manifest, read_manifest
from job.outputs.pointer import newest_pointer, pointer_to


def current_user() -> str:
    """Return who gives the command: user@machine."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def promote(store: Store, run_id: str, *, reason: str, by: str) -> Decision:
    """Make a finished run its market's current one, whatever the checks said.

    Raises:
        ConfigError: there is no such run, or it did not end as HELD or SUCCEEDED.
    """
    status = status_of(store, run_id)
    if status.state not in (State.HELD, State.SUCCEEDED):
        raise ConfigError(
            f"run {run_id} is {status.state}; only a run that is HELD or SUCCEEDED can be promoted"
        )
    manifest = read_manifest(store, status.revision, status.market, run_id)
    if manifest is None:
        raise ConfigError(f"run {run_id} has no manifest, so its artifacts are not complete")
    decision = record_decision(store, status, Action.PROMOTE, reason, by, {})
    _move(store, manifest, decision.at)
    remember(store, manifest.fingerprint, run_id)
    show_changes(store)
    return decision


def hold(store: Store, run_id: str, *, reason: str, by: str) -> Decision:
    """Keep a run from being its market's current one; the last other accepted run becomes it.

    A run that has not ended yet will end as HELD.

    Raises:
        ConfigError: there is no such run, or it is the only accepted one of its market.
    """
    return _withdraw(store, status_of(store, run_id), Action.HOLD, reason, by)


def rollback(store: Store, market: str, revision: str, *, reason: str, by: str) -> Decision:
    """Go back from a market's current run to the last other accepted one.

    Raises:
        ConfigError: the market has no current run, or no other accepted one.
        DamagedError: `current.json` cannot be read.
    """
    path = layout.current(revision, market)
    pointer = stored(store, path)
    if pointer is None:
        raise ConfigError(
            f"market `{short(market)}` has no current run of revision `{short(revision)}` in "
            f"{store.url}"
        )
    run_id = str(read_fields(pointer.data, "run_id", path=path)["run_id"])
    return _withdraw(store, status_of(store, run_id), Action.ROLLBACK, reason, by)


def _withdraw(store: Store, status: Status, action: Action, reason: str, by: str) -> Decision:
    revision, market, run_id = status.revision, status.market, status.run_id
    current = is_current(store, status)
    following = newest_pointer(store, revision, market, without=run_id) if current else None
    if current and following is None:
        raise ConfigError(
            f"run {run_id} is the only accepted run of market `{market}`, revision `{revision}`; "
            "promote another run first (`mmm promote RUN --reason …`)"
        )
    evidence = {"next": following["run_id"]} if following else {}
    decision = record_decision(store, status, action, reason, by, evidence)

    def change(old: Blob | None) -> bytes | None:
        if old is None or not is_current(store, status):
            return None
        pointer = newest_pointer(store, revision, market, without=run_id)
        return (
            canonical_json({**pointer, "promoted_at": decision.at.isoformat()}) if pointer else None
        )

    update(store, layout.current(revision, market), change)
    show_changes(store)
    return decision


def _move(store: Store, manifest: Manifest, at: datetime) -> None:
    pointer = {**pointer_to(manifest, at), "promoted_at": at.isoformat()}
    content = canonical_json(pointer)
    update(store, layout.current(manifest.revision, manifest.market), lambda _: content)


def status_of(store: Store, run_id: str) -> Status:
    """Return the status of a run that a person names by its id.

    Raises:
        ConfigError: there is no such run.
        DamagedError: its status cannot be read.
    """
    if not is_valid(run_id):
        raise ConfigError(
            f"RUN is `{short(run_id)}`; allowed: a run id, e.g. `20261123T020000Z-1a2b3c4d`"
        )
    status = read_status(store, run_id)
    if status is None:
        raise ConfigError(f"there is no run `{run_id}` in {store.url}")
    return status


def record_decision(
    store: Store, status: Status, action: Action, reason: str, by: str, more: dict[str, Any]
) -> Decision:
    """Write a person's decision; its evidence is what the run's event said, and `more`.

    Raises:
        ConfigError: the reason is empty.
    """
    if not reason.strip():
        raise ConfigError("`--reason` is empty; say why, for those who read the ledger later")
    outcome = status.outcome
    known = {
        name: outcome[name] for name in ("verdict", "drift", "manifest_sha256") if outcome.get(name)
    }
    decision = Decision(
        run_id=status.run_id,
        market=status.market,
        revision=status.revision,
        action=action,
        by=by,
        at=bucket_time(store, layout.reconcile_clock()),
        reason=reason,
        evidence={"state": status.state.value, **known, **more},
    )
    record(store, decision)
    return decision
