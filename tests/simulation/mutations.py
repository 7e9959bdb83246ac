"""Faults that the project once had, put back one at a time: the simulation must find each.

`python -m tests.simulation.mutations` plays seeds with each of them until one is broken.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from contract import rejection, runid
from contract.base import canonical_json
from contract.exceptions import NotFoundError
from contract.run import now
from contract.stored import read_fields
from contract.stores.atomic import update
from job import lifecycle, pipeline
from job.attempt import lease as lease_module
from job.attempt import status
from job.attempt.lease import LeaseHolder
from job.attempt.status import StatusWriter
from job.cost import history
from job.outputs import duplicate, promote
from job.outputs.manifest import read_manifest
from tests.simulation.job import replacing
from tests.simulation.play import Played, play, simulation
from trigger import cloud_run
from trigger.execution import Phase

Change = tuple[Any, str, Any]
MOST = 1000  # seeds


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """A fault: what it changes, and a seed that finds it."""

    name: str
    changes: Callable[[], list[Change]]
    seed: int


def _fingerprint_before_promotion() -> list[Change]:
    upload = pipeline.upload

    def early(attempt: Any, draft: Any) -> Any:
        manifest = upload(attempt, draft)
        duplicate.remember(attempt.store, manifest.fingerprint, manifest.run_id)
        return manifest

    def any_run(store: Any, digest: str, revision: str, market: str) -> Any:
        path = f"fingerprints/{digest}.json"
        try:
            run_id = read_fields(store.read(path).data, "run_id", path=path)["run_id"]
        except NotFoundError:
            return None
        return read_manifest(store, revision, market, run_id)

    return [(pipeline, "upload", early), (duplicate, "_finished_run", any_run)]


def _current_by_run_id() -> list[Change]:
    def by_id(store: Any, *, run_id: str, market: str, revision: str, **_: Any) -> bool:
        pointer = canonical_json({"run_id": run_id, "accepted_at": now().isoformat()})

        def change(old: Any) -> bytes | None:
            path = "current.json"
            later = old and read_fields(old.data, "run_id", path=path)["run_id"] > run_id
            return None if later else pointer

        update(store, promote.layout.current(revision, market), change)
        return True

    return [(pipeline, "promote", by_id)]


def _lost_lease_answer() -> list[Change]:
    def write(self: Any, *, released: bool) -> None:
        with self._lock:
            lease = self._lease.model_copy(update={"released": released}).to_json()
            self._generation = self._store.write(self._path, lease, if_generation=self._generation)
            self._renewed = lease_module.time.monotonic()

    return [(LeaseHolder, "_write", write)]


def _fatal_progress() -> list[Change]:
    def beat(self: Any) -> None:
        self._written = status.time.monotonic()
        self._write_run({})

    return [(StatusWriter, "beat", beat)]


def _rejection_not_terminal() -> list[Change]:
    real = rejection.end_run

    class _Nowhere:
        """A store in which a rejection leaves no status."""

        def __init__(self, store: Any) -> None:
            self._store = store

        def __getattr__(self, name: str) -> Any:
            return getattr(self._store, name)

        def write(self, path: str, data: bytes, **options: Any) -> int:
            return 0 if path.endswith("status.json") else self._store.write(path, data, **options)

    def end_run(store: Any, data: Any, **options: Any) -> Any:
        return real(_Nowhere(store), data, **options)

    return [(rejection, "end_run", end_run)]


def _ambiguous_keys() -> list[Change]:
    return [(runid, "market_key", lambda key, market: key if market is None else f"{key}|{market}")]


def _damage_of_others() -> list[Change]:
    return [(history, "unless_damaged", lambda read, otherwise, then: read())]


def _cancelled_before_failed() -> list[Change]:
    real = cloud_run._phase

    def phase(found: Any, completed: Any) -> Phase:
        if found.completion_time and found.cancelled_count:
            return Phase.CANCELLED
        return real(found, completed)

    return [(cloud_run, "_phase", phase)]


def _market_not_exclusive() -> list[Change]:
    return [
        (lifecycle, "wait_for_market", lambda attempt: None),
        (pipeline, "keep_market", lambda *_: True),
    ]


MUTATIONS = (
    Mutation(name="the fingerprint before the promotion", changes=_fingerprint_before_promotion, seed=3),
    Mutation(name="current.json in order of run ids", changes=_current_by_run_id, seed=2),
    Mutation(name="a lost answer taken for another owner", changes=_lost_lease_answer, seed=23),
    Mutation(name="progress that ends the attempt", changes=_fatal_progress, seed=3),
    Mutation(name="a rejection that is not terminal", changes=_rejection_not_terminal, seed=25),
    Mutation(name="two keys that are one", changes=_ambiguous_keys, seed=24),
    Mutation(name="a damaged manifest of another market", changes=_damage_of_others, seed=11),
    Mutation(name="cancelled tasks before failed ones", changes=_cancelled_before_failed, seed=272),
    Mutation(name="two runs on a market", changes=_market_not_exclusive, seed=6),
)  # fmt: skip


@contextmanager
def put_back(mutation: Mutation) -> Iterator[None]:
    """Put a fault back; within `simulation()`."""
    with replacing(mutation.changes()):
        yield


def first_broken(mutation: Mutation, most: int = MOST) -> Played | None:
    """Play seeds with a fault, the known one first; return the first that is broken, or None."""
    with put_back(mutation):
        for one in (mutation.seed, *range(1, most)):
            played = play(one)
            if played.problems:
                return played
    return None


def main() -> int:
    """Print for each fault a seed that finds it; the exit code is 1 if one is not found."""
    missed = 0
    with simulation():
        for mutation in MUTATIONS:
            found = first_broken(mutation)
            missed += found is None
            printed = f"seed {found.seed}: {found.problems[0]}" if found else "NOT FOUND"
            print(f"{mutation.name}: {printed}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
