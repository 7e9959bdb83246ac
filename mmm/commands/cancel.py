"""`mmm cancel RUN`: stop a run's execution and end the run."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from contract import environment
from contract.exceptions import ConfigError
from mmm.commands.common import DEFAULT_BUCKET, DEFAULT_TOPIC, AsJson, Bucket, Topic, report_errors


def command(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")],
    bucket: Bucket = DEFAULT_BUCKET,
    topic: Topic = DEFAULT_TOPIC,
    job: Annotated[
        str | None,
        typer.Option(
            envvar=environment.JOB,
            help="projects/P/locations/L/jobs/J; without it, processes of this machine.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Cancel a run.

    Stops its execution and ends the run as CANCELLED with an event. A run that has ended does
    not change. Prints the state and the run's id.

    Example: mmm cancel 20261123T020000Z-1a2b3c4d --bucket gs://BUCKET --job JOB
    """
    from contract.runid import is_valid
    from contract.stores import open_store
    from contract.topics import open_topic
    from mmm.cancel import cancel
    from mmm.local.launcher import LocalLauncher
    from mmm.results import Result
    from trigger.cloud_run import CloudRunLauncher
    from trigger.execution import Launcher

    with report_errors(as_json=as_json):
        if not is_valid(run_id):
            raise ConfigError(
                f"RUN is `{run_id}`; allowed: a run id, e.g. `20261123T020000Z-1a2b3c4d`"
            )
        launcher: Launcher = (
            CloudRunLauncher.connect(job, endpoint=os.environ.get(environment.RUN_ENDPOINT))
            if job
            else LocalLauncher([], env={})
        )
        status = cancel(run_id, open_store(bucket), open_topic(topic), launcher)
    print(Result.of(status).model_dump_json() if as_json else f"{status.state} {run_id}")
