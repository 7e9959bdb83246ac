"""The invariants after any seed, checked in the bucket and the events."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq

from contract import layout, runid
from contract.base import sha256_hex
from contract.damage import unless_damaged
from contract.lease import bucket_time, live_lease
from contract.run import State, Status, read_status
from contract.stored import read_fields
from contract.stores import Store
from job.outputs.manifest import Manifest
from tests.faults.rscript import record
from tests.runs import faulty_artifacts

ENDS = {State.SUCCEEDED, State.FAILED, State.CANCELLED, State.DUPLICATE}


class BrokenError(AssertionError):
    """An invariant does not hold."""


def require(holds: object, what: str) -> None:
    if not holds:
        raise BrokenError(what)


def check_run(
    store: Store, run_id: str, events: Iterable[dict[str, Any]], *, may_cancel: bool
) -> Status:
    """Check that a run has one terminal state, one event, all artifacts or none, each trial once."""
    status = read_status(store, run_id)
    require(status is not None, f"{run_id} has no status")
    assert status is not None
    allowed = ENDS if may_cancel else ENDS - {State.CANCELLED}
    require(status.state in allowed, f"{run_id} is {status.state}: {status.error}")
    unforeseen = status.error is not None and status.error.message.startswith("unexpected")
    require(not unforeseen, f"{run_id}: {status.error}")
    reported = {(e["id"], e["data"]["state"]) for e in events if e["subject"] == run_id}
    require(
        {state for _, state in reported} == {status.state.value} and len(reported) == 1,
        f"{run_id} is {status.state}, but its events are {reported}",
    )
    live = live_lease(store, run_id, at=bucket_time(store, layout.clock(run_id)))
    require(live is None, f"{run_id} has ended, but the lease {live} is live")
    _check_artifacts(store, run_id, status, events)
    _check_nothing_later(store, run_id, status)
    return status


def _check_nothing_later(store: Store, run_id: str, status: Status) -> None:
    """Check that nothing of a run was written after its terminal state, except its event."""
    info = store.stat(layout.status(run_id))
    assert info is not None
    own = [
        *store.list(layout.work(run_id)),
        *store.list(layout.quality(run_id)),
        *store.list(layout.artifacts(status.revision, status.market, run_id)),
    ]
    later = [one.path for one in own if one.updated > info.updated]
    require(not later, f"{run_id} is {status.state}, and later wrote {later}")


def _check_artifacts(
    store: Store, run_id: str, status: Status, events: Iterable[dict[str, Any]]
) -> None:
    path = layout.manifest(status.revision, status.market, run_id)
    complete = store.stat(path) is not None
    if status.state is not State.SUCCEEDED:
        require(_current(store, status) != run_id, f"{run_id} is {status.state}, but current")
        if not complete:
            return
    require(complete, f"{run_id} succeeded without a manifest")
    raw = store.read(path).data
    manifest = Manifest.model_validate(json.loads(raw))
    prefix = layout.artifacts(status.revision, status.market, run_id)
    wrong = faulty_artifacts(store, manifest.artifacts, prefix=prefix)
    require(not wrong, f"{run_id}'s manifest: {wrong}")
    for artifact in manifest.artifacts:
        found = sha256_hex(store.read(f"{prefix}{artifact.path}").data)
        require(found == artifact.sha256, f"`{artifact.path}` has another SHA-256")
    expected = {str(k): record(manifest.seed, k) for k in range(1, manifest.trials + 1)}
    if store.stat(f"{prefix}trials.json") is not None:  # the real R writes no such file
        trials = json.loads(store.read(f"{prefix}trials.json").data)
        require(trials == expected, f"{run_id} counts the trials {trials}")
    counted = [manifest.iterations] * manifest.trials
    require(manifest.trial_iterations == counted, f"{run_id}: {manifest.trial_iterations}")
    models = pq.read_table(io.BytesIO(store.read(f"{prefix}tables/pareto.parquet").data))
    ids = models.column("model_id").to_pylist()
    require(len(ids) == len(set(ids)), f"{run_id} counts models twice")
    kept = [info.path.rpartition("/")[2] for info in store.list(layout.work(run_id, "trials/"))]
    require(sorted(kept) == sorted(f"trial_{k}.rds" for k in expected), f"{run_id} keeps {kept}")
    if status.state is State.SUCCEEDED:
        [event] = {e["id"]: e for e in events if e["subject"] == run_id}.values()
        require(event["data"]["manifest_sha256"] == sha256_hex(raw), "the event's manifest differs")


def check_current(store: Store, states: dict[str, Status]) -> None:
    """Check that `current.json` names the run that was accepted last, of those that succeeded."""
    good = sorted(
        (run_id for run_id, status in states.items() if status.state is State.SUCCEEDED),
        key=lambda run_id: _accepted_at(store, run_id),
    )
    for status in states.values():
        current = _current(store, status)
        newest = good[-1] if good else None
        require(current == newest, f"current is {current}; succeeded: {good}")


def check_fingerprints(store: Store, states: dict[str, Status]) -> None:
    """Check that only runs that succeeded can have duplicates."""
    for info in store.list("fingerprints/"):
        run_id = json.loads(store.read(info.path).data)["run_id"]
        state = states[run_id].state
        require(state is State.SUCCEEDED, f"{info.path} names {run_id}, which is {state}")


def _accepted_at(store: Store, run_id: str) -> datetime:
    info = store.stat(layout.request(run_id))
    require(info is not None, f"{run_id} succeeded without a request")
    assert info is not None
    return info.updated


def _current(store: Store, status: Status) -> str | None:
    path = layout.current(status.revision, status.market)
    if store.stat(path) is None:
        return None
    pointer = unless_damaged(
        lambda: read_fields(store.read(path).data, "run_id", path=path),
        None,
        then="it names no run",
    )
    return str(pointer["run_id"]) if pointer else None


def check_nothing_left(executions: Iterable[str], scratch: Path) -> None:
    """Check that no process of any attempt and no temporary file is left."""
    names = set(executions)
    left = []
    for process in psutil.process_iter(["pid", "environ", "cmdline"]):
        if (process.info["environ"] or {}).get("CLOUD_RUN_EXECUTION") in names:
            left.append((process.info["pid"], process.info["cmdline"]))
    require(not left, f"processes are left: {left}")
    files = [str(path) for path in scratch.rglob("*")]
    require(not files, f"files are left: {files}")


def runs_of(store: Store) -> list[str]:
    """Return the ids of all runs in the bucket."""
    return [name for name in store.folders(layout.RUNS) if runid.is_valid(name)]
