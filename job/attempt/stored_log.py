"""Store the log of an attempt in the bucket, for `mmm logs`: an object that is written again.

It is for people: nothing is decided by it, and its last entries may be missing.
"""

from __future__ import annotations

import threading
import time

from contract import layout
from contract.exceptions import CancelledError, MMMError
from contract.stores import Store
from job.runtime.logs import Log, kept
from job.runtime.settings import Settings

PAUSE_SECONDS = 5.0  # between two writes, if the bucket limits them


class StoredLog:
    """The log of one attempt: `runs/<run id>/log/<execution>-<task>-<attempt>.jsonl`."""

    def __init__(self, store: Store, run_id: str, settings: Settings, *, log: Log) -> None:
        execution = settings.execution.rpartition("/")[2]
        name = f"{execution}-{settings.task_index}-{settings.attempt}.jsonl"
        self._path = layout.log(run_id, name)
        self._store, self._run_id, self._log = store, run_id, log
        self._pause = PAUSE_SECONDS if store.write_pause else 0.0
        self._written: float | None = None
        self._last: str | None = None
        self._closed = False
        self._lock = threading.Lock()

    def write_now_and_then(self) -> None:
        """Write what is new, unless the object was written a moment ago."""
        if self._written is None or time.monotonic() - self._written >= self._pause:
            self.write()

    def close(self) -> None:
        """Write what is new for the last time: the run is about to end."""
        self.write()
        self._closed = True

    def write(self) -> None:
        """Write what is new; log it if that fails."""
        lines = kept(self._run_id)
        with self._lock:
            if self._closed or not lines or lines[-1] == self._last:
                return
            self._written, self._last = time.monotonic(), lines[-1]
            data = "".join(f"{line}\n" for line in lines).encode()
            try:
                self._store.write(self._path, data, content_type="application/jsonl")
            except CancelledError:  # the run stops, it does not go on without its log
                raise
            except MMMError as error:
                self._log.warning(f"the log could not be stored: {error}")
