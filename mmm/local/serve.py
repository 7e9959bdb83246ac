"""The local trigger: it takes messages from a file and runs their jobs on this machine.

The Cloud Function takes the same messages from Pub/Sub, and its jobs run in Cloud Run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from contract.exceptions import DamagedError, MMMError
from contract.run import State, Status, read_status
from contract.stores import Store
from contract.topics import Publisher
from contract.topics.jsonl import FileTopic
from mmm.local.launcher import LocalLauncher
from trigger.accept import MessageResult, accept
from trigger.delivery import Delivery

POLL_SECONDS = 0.5


def serve(
    requests: FileTopic, *, store: Store, publisher: Publisher, launcher: LocalLauncher, once: bool
) -> Iterator[tuple[MessageResult, Status | None]]:
    """Run the job of each message and yield its final status.

    The status is None for a message that was rejected, and for a run with a damaged object.

    Args:
        requests: The file that messages are appended to.
        store: The bucket.
        publisher: The topic of events.
        launcher: Runs the jobs.
        once: Whether to stop when all messages are done, instead of waiting for more.
    """
    taken: set[str] = set()
    while True:
        for line in requests.messages():
            if line["messageId"] in taken:
                continue
            taken.add(line["messageId"])
            message = Delivery.from_line(line, topic=str(requests.path))
            for result in accept(message, store=store, publisher=publisher, launcher=launcher):
                try:
                    ended = result, _wait_for_end(result, launcher, store)
                except DamagedError as error:  # the next message is not concerned
                    ended = replace(result, state=None, problem=error.message), None
                yield ended
        if once:
            return
        time.sleep(POLL_SECONDS)


def _wait_for_end(result: MessageResult, launcher: LocalLauncher, store: Store) -> Status | None:
    if result.state in (State.REJECTED, None):
        return None
    if result.execution in launcher.executions:
        launcher.wait(result.execution)
    status = read_status(store, result.run_id)
    if status is None:
        raise MMMError(f"run {result.run_id} has no status")
    return status
