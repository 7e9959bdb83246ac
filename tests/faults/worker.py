"""The real `python -m job` with short leases, a wrong clock and a small disk.

CLOCKS and DISKS have a value for each attempt: the error of the clock in seconds, and the largest
file in bytes (0: any).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from contract import run as states

LEASE_SECONDS = 2.0


def of_attempt(name: str) -> int:
    """Return this attempt's value of a list in the environment."""
    values = [int(value) for value in os.environ.get(name, "0").split(",")]
    return values[min(int(os.environ["CLOUD_RUN_TASK_ATTEMPT"]), len(values) - 1)]


def limit_disk(largest: int) -> None:
    """Limit the size of files; the log goes through a process without this limit."""
    cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    assert cat.stdin is not None
    for stream in (1, 2):
        os.dup2(cat.stdin.fileno(), stream)
    cat.stdin.close()
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))


def main() -> int:
    """Run one attempt; return the exit code."""
    off = timedelta(seconds=of_attempt("CLOCKS"))
    states.now = lambda: datetime.now(UTC) + off  # before another module imports it
    if largest := of_attempt("DISKS"):
        limit_disk(largest)

    from contract import retries
    from contract.stores import gcs
    from job.__main__ import main as job
    from job.attempt import lease, patience

    lease.LEASE_SECONDS = LEASE_SECONDS
    keep = lease.LeaseHolder.keep
    assert keep.__kwdefaults__ is not None
    keep.__kwdefaults__["every"] = LEASE_SECONDS / 5
    retries.GRANT, retries.DENIED_SECONDS = timedelta(seconds=10), 1.0
    patience.RETRY_SECONDS = 1.0
    gcs.RETRY = gcs.RETRY.with_timeout(15)
    if os.environ["MMM_EVENTS_TOPIC"].startswith("projects/"):
        from contract.topics import pubsub

        pubsub.BRIEF_RETRY = pubsub.BRIEF_RETRY.with_timeout(2)
    return job(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
