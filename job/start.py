"""Start one attempt of a run from command-line options and environment variables."""

from __future__ import annotations

from typing import Any, Literal

from contract.exceptions import MMMError
from contract.run import State
from contract.stores import open_store
from contract.topics import open_topic
from job.attempt.request import find_request
from job.lifecycle import Ending, work_on
from job.runtime.logs import Log
from job.runtime.progress import View
from job.runtime.settings import Settings
from job.runtime.signals import stop_on_signal


def start(
    *,
    config_uri: str | None,
    run_id: str | None,
    force: bool,
    via: Literal["execution", "command"],
    log: Log,
    view: View,
    bucket: str | None = None,
    topic: str | None = None,
    overrides: dict[str, Any] | None = None,
) -> Ending:
    """Find the request in the bucket and work on it; turn every error into an exit code."""
    try:
        settings = Settings.read(bucket=bucket, topic=topic, config_uri=config_uri, run_id=run_id)
        store, publisher = open_store(settings.bucket), open_topic(settings.topic)
        with stop_on_signal():
            request = find_request(
                settings, store, publisher, via=via, overrides=overrides or {}, force=force
            )
            log.info(f"run {request.run_id}", run_id=request.run_id)
            return work_on(request, settings, store, publisher, log=log, view=view)
    except MMMError as error:
        log.error(error.message, exit_code=error.exit_code)
        return Ending(
            run_id=error.run_id or run_id or "",
            state=State.REJECTED,
            exit_code=error.exit_code,
            message=error.message,
        )
