"""Values that are read again behind the page, so that no click waits for a long listing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")
FRESH = 4.0  # seconds until a value is read again
LATE = 60.0  # seconds until a page waits for the new value
PATIENCE = 0.2  # seconds that a page gives the new value before it shows the old one
_pool = ThreadPoolExecutor(4, "reads")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Entry(Generic[T]):
    """A value, when its reading began, and the newer value that is being read."""

    value: T
    at: float
    coming: Future[T] | None = None
    coming_at: float = 0.0

    def newest(self) -> _Entry[T]:
        """Return the entry of the newer value if that is there."""
        if self.coming is None or not self.coming.done():
            return self
        if error := self.coming.exception():
            log.warning("a list is not read again, the last one is shown: %s", error)
            return _Entry(self.value, self.at)
        return _Entry(self.coming.result(), self.coming_at)


class Fresh(Generic[K, T]):
    """The last value of each key, from a function that reads it.

    A value that is older than FRESH seconds is read again in another thread. A page shows the new
    value if it comes within PATIENCE seconds, and else the old one, for at most LATE seconds.
    """

    def __init__(self, read: Callable[[K], T]) -> None:
        self._read = read
        self._entries: dict[K, _Entry[T]] = {}
        self._clears = 0
        self._lock = Lock()

    def get(self, key: K) -> T:
        """Return the value of a key; where a page waits, what the function raises is raised."""
        now = time.monotonic()
        with self._lock:
            clears, entry = self._clears, self._entries.get(key)
            if entry is not None:
                entry = entry.newest()
                if entry.coming is None and now - entry.at >= FRESH:
                    entry = replace(entry, coming=_pool.submit(self._read, key), coming_at=now)
                self._entries[key] = entry
        if entry is None:
            value = self._read(key)
            with self._lock:
                if clears == self._clears:  # else it may be from before what cleared the values
                    self._entries[key] = _Entry(value, now)
            return value
        if entry.coming is None:
            return entry.value
        if now - entry.at >= LATE:
            return entry.coming.result()
        wait([entry.coming], timeout=PATIENCE)
        return entry.newest().value

    def clear(self) -> None:
        """Forget all values: the next page waits for new ones."""
        with self._lock:
            self._clears += 1
            self._entries.clear()
