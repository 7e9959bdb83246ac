"""A job whose training takes a moment: the real intake, lease, status, ending and events."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from contract.ending import tell
from contract.events import EventData
from contract.exceptions import MMMError
from contract.lease import Lease
from contract.run import State, change_status, now, read_status
from contract.stores import open_store
from contract.topics import open_topic
from job import logs
from job.claim import claim
from job.intake import find_request
from job.settings import from_environment


def main() -> int:
    """Do one attempt; returns the exit code."""
    logs.configure("json")
    settings = from_environment()
    store, publisher = open_store(settings.bucket), open_topic(settings.topic)
    request = find_request(settings, store, publisher, via="execution", overrides={}, force=False)
    status = read_status(store, request.run_id)
    if status is not None and status.state.is_terminal:
        tell(store, publisher, status)
        return 0
    lease = claim(store, request.run_id, settings)
    if isinstance(lease, Lease):
        return 0
    change_status(
        store,
        request.run_id,
        lambda old: {
            "state": State.RUNNING, "heartbeat_at": now(), "execution": settings.execution,
        },
    )  # fmt: skip
    time.sleep(0.1)
    data = EventData(
        run_id=request.run_id, state=State.SUCCEEDED, market=request.market,
        revision=request.revision,
    )  # fmt: skip
    status = change_status(
        store,
        request.run_id,
        lambda old: {"state": State.SUCCEEDED, "outcome": data.model_dump(mode="json")},
    )
    with Path(os.environ["TRAININGS"]).open("a") as file:
        file.write(f"{request.run_id} {settings.owner}\n")
    lease.release()
    tell(store, publisher, status)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MMMError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
