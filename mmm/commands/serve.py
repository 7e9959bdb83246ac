"""`mmm serve`: the local trigger.

It takes messages from a file as the Cloud Function takes them from Pub/Sub, and runs their jobs as
processes of this machine.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from contract.exceptions import MMMError
from contract.run import State, Status, read_status
from contract.stores import Store, open_store
from contract.topics import open_topic
from contract.topics.jsonl import FileTopic
from mmm.commands.common import (
    DEFAULT_BUCKET,
    DEFAULT_REQUESTS,
    DEFAULT_TOPIC,
    Bucket,
    Topic,
    told_plainly,
)
from mmm.commands.run import readable
from mmm.local.launcher import LocalLauncher
from trigger.accept import MessageResult, accept
from trigger.delivery import Delivery

POLL_SECONDS = 0.5


def command(
    requests: Annotated[
        Path, typer.Option(help="The .jsonl file that messages are appended to.")
    ] = Path(DEFAULT_REQUESTS),
    bucket: Bucket = DEFAULT_BUCKET,
    topic: Topic = DEFAULT_TOPIC,
    once: Annotated[
        bool, typer.Option("--once", help="Leave when every message so far is done.")
    ] = False,
) -> None:
    """Take messages from a file and run their jobs here; the last line tells how the last ended."""
    with told_plainly():
        store, publisher = open_store(bucket), open_topic(topic)
        launcher = LocalLauncher(
            [sys.executable, "-m", "job"],
            env={
                **os.environ,
                "MMM_BUCKET": str(bucket),
                "MMM_EVENTS_TOPIC": str(topic),
                "MMM_WAIT_HERE": "1",
                "MMM_LOG_STYLE": os.environ.get("MMM_LOG_STYLE", "console"),
            },
            max_retries=0,
        )
        code = 0
        try:
            taken: set[str] = set()
            while True:
                for line in FileTopic(requests).messages():
                    if line["messageId"] in taken:
                        continue
                    taken.add(line["messageId"])
                    message = Delivery.from_line(line, topic=str(requests))
                    for outcome in accept(
                        message, store=store, publisher=publisher, launcher=launcher
                    ):
                        code = _see_through(outcome, launcher, store) or code
                if once:
                    break
                time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            pass
        finally:
            launcher.close()
    raise typer.Exit(code)


def _see_through(outcome: MessageResult, launcher: LocalLauncher, store: Store) -> int:
    """Wait for a run's end and say how it ended; returns the exit code."""
    if outcome.state is State.REJECTED:
        print(f"REJECTED {outcome.run_id} {outcome.problem}")
        return 64
    if outcome.execution in launcher.executions:
        launcher.wait(outcome.execution)
    status = read_status(store, outcome.run_id)
    if status is None:
        raise MMMError(f"run {outcome.run_id} has no status")
    print(ending_line(status))
    if status.state.is_terminal:
        return status.error.code if status.error else 0
    return 70


def ending_line(status: Status) -> str:
    """`SUCCEEDED <run id> <report>`, or the state and the reason."""
    if status.error is not None:
        return f"{status.state} {status.run_id} {status.error.message}"
    return f"{status.state} {status.run_id} {readable(status.outcome.get('report_uri'))}".strip()
