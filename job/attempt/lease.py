"""Hold the lease of a run: the right of one process to work on it, renewed by heartbeats.

A second execution of a run finds a live lease and exits. A retry of the same task takes over at
once, because Cloud Run starts it only after the previous attempt has ended. Any other process waits
until the lease has expired by the bucket's clock.

An owner that cannot renew its lease for CUT_OFF_SECONDS stops, before another run may take its
market (`contract.market.GRACE`). An owner that slept until its lease expired checks that it still
has its market.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from contextvars import copy_context

from contract import layout
from contract.damage import warn
from contract.exceptions import (
    CancelledError,
    DamagedError,
    MMMError,
    NotFoundError,
    PreconditionError,
    TransientError,
)
from contract.lease import LEASE_SECONDS, UNKNOWN, Lease, bucket_time, read_lease
from contract.stores.atomic import update
from contract.stores.base import Blob, Store
from job.runtime.logs import Log
from job.runtime.settings import Settings
from job.runtime.signals import stop_reason

HEARTBEAT_SECONDS = 20
CUT_OFF_SECONDS = 480.0
FRESH_SECONDS = 20.0  # such a lease lives on long enough
DAMAGED_POLL_SECONDS = 2.0


class LeaseHolder:
    """A lease that this process holds.

    `lost` is set when another process has taken it. `cut_off` is set when bucket or market were
    unreachable for so long that another run may be working. `broken` holds the error that ended the
    heartbeat, if any: nothing renews the lease then.
    """

    def __init__(self, store: Store, path: str, lease: Lease, generation: int) -> None:
        self.lost, self.cut_off = threading.Event(), threading.Event()
        self.broken: str | None = None
        self._renewed = time.monotonic()
        self._store, self._path = store, path
        self._lease, self._generation = lease, generation
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def keep(
        self,
        beat: Callable[[], None],
        *,
        log: Log,
        returned: Callable[[], bool] = lambda: True,
        every: float = HEARTBEAT_SECONDS,
        patience: float = CUT_OFF_SECONDS,
    ) -> None:
        """Renew the lease in a thread until it is released; call `beat` after each renewal.

        `returned` says whether an owner whose lease had expired may continue.
        """

        def loop() -> None:
            while not self._stop.wait(every):
                silent = time.monotonic() - self._renewed
                try:
                    self._write(released=False)
                    if silent > self._lease.seconds and not returned():
                        log.error(
                            f"no heartbeat for {silent:.0f} s; another run has the market; stopping"
                        )
                        self.cut_off.set()
                        return
                    beat()
                except PreconditionError:
                    log.error("another execution took over this run; stopping")
                    self.lost.set()
                    return
                except MMMError as error:  # the next beat tries again
                    log.warning(f"the heartbeat could not be written: {error}")
                    if time.monotonic() - self._renewed > patience:
                        log.error(f"no heartbeat for {patience / 60:.0f} min; stopping")
                        self.cut_off.set()
                        return
                except Exception as error:  # a thread that ends in silence leaves a dead lease
                    log.exception(f"unexpected {type(error).__name__} in the heartbeat: {error}")
                    self.broken = f"the heartbeat failed: {type(error).__name__}: {error}"
                    return

        self._thread = threading.Thread(
            target=copy_context().run, args=(loop,), name="heartbeat", daemon=True
        )
        self._thread.start()

    @property
    def manifest(self) -> str | None:
        """The path of the manifest that this or an earlier owner decided on, if any."""
        return self._lease.manifest

    def confirm(self, *, manifest: str | None = None) -> None:
        """Renew the lease to prove that this process still owns it; record `manifest` in it.

        Raises:
            CancelledError: another process has taken the lease.
            TransientError: this process lost contact for too long and must stop.
        """
        if self.broken:
            raise TransientError(self.broken)
        if self.cut_off.is_set():
            raise TransientError("the run lost contact with its bucket or market for too long")
        if manifest is not None:
            with self._lock:
                self._lease = self._lease.model_copy(update={"manifest": manifest})
        if not self.is_own(renew=manifest is not None):
            raise CancelledError("another execution took over the run")

    def is_own(self, *, renew: bool = False) -> bool:
        """Renew the lease; return False if another process has taken it.

        A lease that was renewed within FRESH_SECONDS is only read again, unless `renew` is true.

        Raises:
            MMMError: the bucket refuses or does not answer.
        """
        if not renew and time.monotonic() - self._renewed < FRESH_SECONDS:
            own = self._own_generation() is not None
        else:
            try:
                self._write(released=False)
                own = True
            except PreconditionError:
                own = False
        if not own:
            self.lost.set()
        return own

    def release(self) -> None:
        """Release the lease, so that a successor need not wait."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=0.2 if stop_reason() else 5.0)
        if not self.lost.is_set():
            self._write(released=True)

    def _write(self, *, released: bool) -> None:
        """Write the lease over the generation that this owner wrote last.

        If another generation is stored, another owner took over, unless it has this owner's nonce:
        then an earlier write succeeded although its answers were lost.
        """
        with self._lock:
            lease = self._lease.model_copy(update={"released": released}).to_json()
            try:
                self._generation = self._store.write(
                    self._path, lease, if_generation=self._generation
                )
            except PreconditionError:
                own = self._own_generation()
                if own is None or (self._stop.is_set() and not released):
                    raise
                self._generation = self._store.write(self._path, lease, if_generation=own)
            self._renewed = time.monotonic()

    def _own_generation(self) -> int | None:
        """Return the generation of the stored lease if this owner wrote it, else None."""
        try:
            stored = self._store.read(self._path)
            held = Lease.from_json(stored.data, path=self._path)
        except NotFoundError:
            return None
        except DamagedError as error:
            # No other process could take the lease before it expires: the object is this owner's.
            if time.monotonic() - self._renewed > self._lease.seconds:
                return None
            warn(error, then="its owner writes it again")
            return stored.generation
        return stored.generation if held.nonce == self._lease.nonce else None


def claim(
    store: Store, run_id: str, settings: Settings, *, nonce: str | None = None
) -> LeaseHolder | Lease:
    """Take the run's lease; return the live lease of another owner if there is one.

    A lease with the same `nonce` is this process's own, from an earlier try.
    If the lease is damaged, its owner is unknown: this function waits until it has expired.

    Raises:
        TransientError: another writer came between at every attempt.
        CancelledError: this process must stop.
    """
    path = layout.lease(run_id, settings.task_index)
    mine = Lease(
        owner=settings.owner,
        execution=settings.execution,
        task=settings.task_index,
        attempt=settings.attempt,
        nonce=nonce or uuid.uuid4().hex,
        seconds=LEASE_SECONDS,
    )
    live: Lease | None = None

    def change(old: Blob | None) -> bytes | None:
        nonlocal mine, live
        live = None
        if old is not None:
            held = read_lease(lambda: old, path)
            if not _may_take_over(held, mine) and _is_live(held, old, store, path, run_id):
                live = held
                return None
            mine = mine.model_copy(update={"manifest": held.manifest})
        return mine.to_json()

    while True:
        stored = update(store, path, change)
        if live is None:
            return LeaseHolder(store, path, mine, stored.generation if stored else 0)
        if live.owner != UNKNOWN:
            return live
        if reason := stop_reason():
            raise CancelledError(reason)
        time.sleep(DAMAGED_POLL_SECONDS)


def _may_take_over(held: Lease, mine: Lease) -> bool:
    same_task = (held.execution, held.task) == (mine.execution, mine.task)
    later_attempt = same_task and mine.attempt > held.attempt
    return held.released or later_attempt or held.nonce == mine.nonce


def _is_live(held: Lease, blob: Blob, store: Store, path: str, run_id: str) -> bool:
    info = store.stat(path)
    if info is None or info.generation != blob.generation:  # renewed just now
        return True
    return held.is_live(written=info.updated, at=bucket_time(store, layout.clock(run_id)))
