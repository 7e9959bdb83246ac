"""Delete what a run left: its artifacts, config, data, checkpoints and logs.

What stays, and why:

- `decisions/…`: who decided what about the run, with a last entry for the deletion,
- `runs/<run id>/status.json` without its results: the run keeps its place in `mmm list` and in the
  page about all markets, and its message, delivered again, starts no new run,
- `runs/<run id>/published/…` and `keys/…` (the id only), for the same reason,
- `fingerprints/…`, a hash: data that a person held stays held.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from contract import layout
from contract.base import canonical_json
from contract.events import EventData, Outbox
from contract.exceptions import ConfigError, DamagedError
from contract.pages.update import show_changes
from contract.run import RunError, State, Status
from contract.stored import read_fields
from contract.stores import Store
from contract.stores.atomic import create, stored, update
from contract.stores.base import Blob, ObjectInfo
from contract.terminal import is_current
from job.outputs.ledger import Action, Decision
from mmm.decisions import record_decision, status_of

AT_ONCE = 16  # deletions


def deletable(store: Store, run_id: str) -> tuple[Status, list[ObjectInfo]]:
    """Return a run and the objects that its deletion removes, the manifest first.

    Raises:
        ConfigError: there is no such run, or it may not be deleted.
        DamagedError: its status cannot be read.
    """
    status = status_of(store, run_id)
    if not status.state.is_terminal:
        raise ConfigError(f"run {run_id} is {status.state}; `mmm cancel {run_id}` ends it first")
    if status.state is State.REJECTED:
        raise ConfigError(
            f"run {run_id} is REJECTED and has no artifacts; a rule of the bucket deletes its "
            "message below `rejected/`"
        )
    if is_current(store, status):
        raise ConfigError(
            f"run {run_id} is the current run of market `{status.market}`, revision "
            f"`{status.revision}`; make another one current first (`mmm rollback` or `mmm promote`)"
        )
    if not _is_published(store, run_id):
        raise ConfigError(
            f"the event of run {run_id} is not published yet; `reconcile` publishes it, try again "
            "in some minutes"
        )
    return status, list(_objects(store, status))


def delete(store: Store, run_id: str, *, reason: str, by: str) -> Decision:
    """Delete a run and return the entry of the ledger; given again, it completes the deletion.

    Raises:
        ConfigError: as `deletable`, or the reason is empty.
    """
    status, objects = deletable(store, run_id)
    size = {"objects": len(objects), "bytes": sum(info.size for info in objects)}
    decision = record_decision(store, status, Action.DELETE, reason, by, size)
    for info in objects[:1]:  # without its manifest, the run is not complete for anyone
        store.delete(info.path)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda info: store.delete(info.path), objects[1:]))
    _forget_request(store, run_id)
    note = f"deleted on {decision.at:%Y-%m-%d %H:%M} UTC by {by}: {reason}"
    update(store, layout.status(run_id), lambda old: _without_results(old, status, note))
    show_changes(store, again=[run_id])
    return decision


def _objects(store: Store, status: Status) -> Iterator[ObjectInfo]:
    artifacts = layout.artifacts(status.revision, status.market, status.run_id)
    manifest = layout.manifest(status.revision, status.market, status.run_id)
    yield from sorted(store.list(artifacts), key=lambda info: info.path != manifest)
    folder = f"{layout.RUNS}{status.run_id}/"
    for info in store.list(folder):
        kept = info.path == layout.status(status.run_id)
        if not kept and not info.path.startswith(f"{folder}published/"):
            yield info


def _is_published(store: Store, run_id: str) -> bool:
    """Return whether every event of a run is published, and note it for one of version 0.2."""
    for info in store.list(layout.events(run_id)):
        try:
            entry = Outbox.from_json(store.read(info.path).data, path=info.path)
        except DamagedError:
            continue
        mark = layout.published(run_id, entry.event.id)
        if entry.published_at is not None:
            create(store, mark, canonical_json({"published_at": entry.published_at.isoformat()}))
        elif store.stat(mark) is None:
            return False
    return True


def _forget_request(store: Store, run_id: str) -> None:
    """Leave only the id in the object of the run's key, where a request may be stored."""
    for info in list(store.list(layout.keys(run_id))):
        old = stored(store, info.path)
        with suppress(DamagedError):
            fields = read_fields(old.data, "run_id", path=info.path) if old else {}
            if fields.get("run_id") == run_id and "config" in fields:
                store.write(info.path, canonical_json({"run_id": run_id}))


def _without_results(old: Blob | None, status: Status, note: str) -> bytes:
    """Return the status with its state and times, and the note instead of results and reasons."""
    if old is not None:
        path = layout.status(status.run_id)
        status = Status.from_json(old.data, path=path, run_id=status.run_id)
    before = status.error or RunError(code=0, kind="Deleted", message="")
    error = before.model_copy(update={"message": note})
    outcome = EventData(
        run_id=status.run_id,
        state=status.state,
        market=status.market,
        revision=status.revision,
        error=error,
    )
    changed = {"error": error, "outcome": outcome.model_dump(mode="json"), "steps": []}
    return status.model_copy(update={**changed, "progress": {}}).to_json()
