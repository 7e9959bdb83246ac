"""Notice that the run has ended, or that somebody wants it to stop, and stop this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context

from contract.exceptions import CancelledError, MMMError
from contract.run import read_status
from contract.stores import Store
from job.runtime.logs import Log
from job.runtime.signals import can_stop, stop_process

LOCAL_SECONDS, REMOTE_SECONDS = 0.5, 2.0


def check(store: Store, run_id: str) -> None:
    """Make sure that the run may continue; called before anything of it is written.

    Raises:
        CancelledError: the run has ended, or must stop.
    """
    if reason := reason_to_stop(store, run_id):
        raise CancelledError(reason)


def reason_to_stop(store: Store, run_id: str) -> str | None:
    """Return why the run must stop, None if it may continue."""
    status = read_status(store, run_id)
    if status is None:
        return None
    return f"the run has ended: {status.state}" if status.state.is_terminal else status.stop


@contextmanager
def stopped_with_its_run(store: Store, run_id: str, log: Log) -> Iterator[None]:
    """Look at the run's status again and again; once the run must stop, stop this process.

    The process stops as after SIGTERM, wherever it is: R and its trials end with it.
    """
    if not can_stop():
        yield
        return
    over = threading.Event()
    every = LOCAL_SECONDS if store.url.startswith("file://") else REMOTE_SECONDS

    def watch() -> None:
        while not over.wait(every):
            try:
                reason = reason_to_stop(store, run_id)
            except MMMError:  # the heartbeat reports a bucket that does not answer
                continue
            except Exception as error:  # the next look may work; the heartbeat looks too
                log.exception(f"unexpected {type(error).__name__} at the run's status: {error}")
                continue
            if reason is not None and not over.is_set():
                log.warning(f"stopping: {reason}")
                stop_process(reason)
                return

    watcher = threading.Thread(target=copy_context().run, args=(watch,), name="watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
