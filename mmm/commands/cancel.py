"""`mmm cancel RUN`: stop a run's execution and end the run."""

from __future__ import annotations

import os
import time
from typing import Annotated

import typer

from contract.exceptions import ConfigError
from contract.request import stored_request
from contract.run import RunError, State, Status, read_status
from contract.runid import is_valid
from contract.stores import Store, open_store
from contract.terminal import end_request, publish_end
from contract.topics import Publisher, open_topic
from mmm.commands.common import DEFAULT_BUCKET, DEFAULT_TOPIC, Bucket, Topic, told_plainly
from mmm.local.launcher import LocalLauncher
from trigger.execution import Launcher

PATIENCE_SECONDS = 20.0


def command(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")],
    bucket: Bucket = DEFAULT_BUCKET,
    topic: Topic = DEFAULT_TOPIC,
    job: Annotated[
        str | None,
        typer.Option(
            envvar="MMM_JOB",
            help="projects/P/locations/L/jobs/J; processes of this machine where left out.",
        ),
    ] = None,
) -> None:
    """Stop a run: its execution is cancelled and it ends as CANCELLED, with an event.

    A run that has ended stays as it is. The last line is the state and the run id.
    """
    with told_plainly():
        if not is_valid(run_id):
            raise ConfigError(f"RUN is `{run_id}`; allowed: e.g. `20261123T020000Z-1a2b3c4d`")
        status = cancel(run_id, open_store(bucket), open_topic(topic), _launcher(job))
        print(status.state, run_id)


def _launcher(job: str | None) -> Launcher:
    if not job:
        return LocalLauncher([], env={})
    from trigger.cloud_run import CloudRunLauncher  # heavy: help and a local run do without it

    return CloudRunLauncher.connect(job, endpoint=os.environ.get("MMM_RUN_ENDPOINT"))


def cancel(
    run_id: str,
    store: Store,
    publisher: Publisher,
    launcher: Launcher,
    *,
    patience: float = PATIENCE_SECONDS,
) -> Status:
    """Stop a run's executions, wait for their end, and end the run; returns where it stands.

    Raises:
        ConfigError: there is no such run.
        TransientError, ServiceError: Cloud Run, bucket or topic do not do it.
    """
    request = stored_request(store, run_id)
    if request is None:
        raise ConfigError(f"there is no run `{run_id}` in {store.url}")
    status = read_status(store, run_id)
    if status is not None and status.state.is_terminal:
        publish_end(store, publisher, status)  # whoever ended it may have died before it did
        return status
    names = {execution.name for execution in launcher.find(run_id)}
    if not names and status is not None and status.execution:
        names = {status.execution}
    for name in names:
        launcher.cancel(name)
    deadline = time.monotonic() + patience
    for name in names:
        while (execution := launcher.get(name)) is not None and not execution.phase.is_over:
            if time.monotonic() > deadline:
                break
            time.sleep(0.2)
    stopped = RunError(code=143, step="cancel", kind="CancelledError", message="told to stop")
    ended = end_request(store, request, State.CANCELLED, stopped)
    publish_end(store, publisher, ended)
    return ended
