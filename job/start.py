"""From a command line and an environment to one attempt of one run."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Literal

from contract.exceptions import CancelledError, MMMError
from contract.run import State
from contract.stores import open_store
from contract.topics import open_topic
from job.intake import find_request
from job.lifecycle import Ending, work_on
from job.logs import Log
from job.settings import from_environment
from job.view import View


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
    """Open bucket and topic, find the request and work on it; every error becomes an exit code."""
    try:
        settings = from_environment(
            bucket=bucket, topic=topic, config_uri=config_uri, run_id=run_id
        )
        store, publisher = open_store(settings.bucket), open_topic(settings.topic)
        with _stoppable():
            request = find_request(
                settings, store, publisher, via=via, overrides=overrides or {}, force=force
            )
            return work_on(request, settings, store, publisher, log=log, view=view)
    except MMMError as error:
        log.error(error.message, exit_code=error.exit_code)
        return Ending(
            run_id=error.run_id or run_id or "",
            state=State.REJECTED,
            exit_code=error.exit_code,
            message=error.message,
        )


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM and Ctrl-C raise CancelledError once, wherever the main thread is."""

    def on_signal(number: int, _: FrameType | None) -> None:
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, signal.SIG_IGN)
        raise CancelledError(f"told to stop by {signal.Signals(number).name}")

    before = {sign: signal.signal(sign, on_signal) for sign in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
