"""How long an attempt waits for access that is denied: a grant takes minutes to take effect."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta

from contract import retries
from contract.exceptions import DeniedError
from job.runtime.logs import Log

RETRY_SECONDS = 20.0


class Patience:
    """The time until which an attempt tries again, `contract.retries.GRANT` after a first refusal.

    Only an attempt on Cloud Run waits: on a laptop, a person reads the error. `nonce` marks the
    leases of all tries as this process's own.
    """

    def __init__(self, *, in_cloud_run: bool, log: Log) -> None:
        self._most = retries.GRANT.total_seconds() if in_cloud_run else 0.0
        self._log = log
        self._until = self._last = float("-inf")
        self._over = False
        self.nonce = uuid.uuid4().hex

    def covers(self, error: Exception) -> bool:
        """Return whether an error is a refusal that may still pass."""
        if not isinstance(error, DeniedError):
            return False
        at = time.monotonic()
        if at - self._last > retries.GRANT.total_seconds():  # access was granted meanwhile
            self._until, self._over = at + self._most, False
        self._last = at
        return at < self._until

    def wait(self, error: DeniedError) -> bool:
        """Wait before the next try; return False if the last one began after the time was up.

        That last try ends the run, if it can.
        """
        waiting = self.covers(error)
        if self._over or not self._most:
            return False
        self._over = not waiting
        left = max(0.0, self._until - time.monotonic())
        until = datetime.now(UTC) + timedelta(seconds=left)
        self._log.warning(
            f"{error.message}; a new grant may take minutes, trying again until {until:%H:%M} UTC"
        )
        time.sleep(min(RETRY_SECONDS, left))
        return True
