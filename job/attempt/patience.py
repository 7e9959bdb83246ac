"""How long an attempt waits for access that is denied: a grant takes minutes to take effect."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta

from contract import retries
from contract.exceptions import DeniedError
from job.runtime.logs import Log

RETRY_SECONDS = 20.0
FORGET = 4  # times the patience


class Patience:
    """The time until which an attempt tries again: `contract.retries.GRANT` after a first refusal.

    Each refused call has its own time, because a role may be granted after another one. A call that
    was not refused for an hour begins anew. Only an attempt on Cloud Run waits: on a laptop, a
    person reads the error. `nonce` marks the leases of all tries as this process's own.
    """

    def __init__(self, *, in_cloud_run: bool, log: Log) -> None:
        self._most = retries.GRANT.total_seconds() if in_cloud_run else 0.0
        self._log = log
        self._refused: dict[str, tuple[float, float]] = {}  # message: first and last refusal
        self._over: set[str] = set()
        self.nonce = uuid.uuid4().hex

    def covers(self, error: Exception) -> bool:
        """Return whether an error is a refusal that may still pass."""
        return isinstance(error, DeniedError) and self._left(error) > 0

    def wait(self, error: DeniedError) -> bool:
        """Wait before the next try; return False if the last one began after the time was up.

        That last try ends the run, if it can.
        """
        if error.message in self._over or not self._most:
            return False
        left = self._left(error)
        if left <= 0:
            self._over.add(error.message)
        until = datetime.now(UTC) + timedelta(seconds=left)
        self._log.warning(
            f"{error.message}; a new grant may take minutes, trying again until {until:%H:%M} UTC"
        )
        time.sleep(min(RETRY_SECONDS, left))
        return True

    def _left(self, error: DeniedError) -> float:
        """Return the seconds that are left for a refused call."""
        at = time.monotonic()
        first, last = self._refused.get(error.message, (at, at))
        if at - last > FORGET * self._most:
            first = at
            self._over.discard(error.message)
        self._refused[error.message] = first, at
        return max(0.0, first + self._most - at)
