"""Space out the writes of one object: Cloud Storage refuses more than one a second of each name.

https://cloud.google.com/storage/docs/gcs429
"""

from __future__ import annotations

import threading
import time

SECONDS = 1.0
_MANY = 1000


class Pace:
    """The times of this process's own writes; other processes' are not known."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._next: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, path: str) -> None:
        """Wait until this process may write an object again; two threads take turns."""
        while True:
            at = time.monotonic()
            with self._lock:
                due = self._next.get(path, 0.0)
                if due <= at:
                    self._next[path] = at + self.seconds
                    return
            time.sleep(due - at)

    def failed(self, path: str) -> None:
        """Record that the last write of an object surely changed nothing."""
        with self._lock:
            self._next.pop(path, None)

    def wrote(self, path: str) -> None:
        """Record a write that succeeded."""
        at = time.monotonic()
        with self._lock:
            if len(self._next) > _MANY:
                self._next = {one: due for one, due in self._next.items() if due > at}
            self._next[path] = at + self.seconds
