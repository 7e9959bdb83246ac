"""Start one attempt of a run from command-line options and environment variables."""

from __future__ import annotations

from typing import Any, Literal

from contract import retries
from contract.exceptions import CancelledError, DeniedError, MMMError
from contract.request import Request
from contract.run import State, read_status
from contract.stores import Store, open_store
from contract.terminal import end_request, publish_end, run_error
from contract.topics import Publisher, open_topic
from job.attempt.patience import Patience
from job.attempt.request import find_request
from job.ending import Ending
from job.runtime.logs import Log
from job.runtime.progress import View
from job.runtime.settings import Settings
from job.runtime.signals import shielded, stop_on_signal, stop_reason


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
    store: Store | None = None
    try:
        settings = Settings.read(bucket=bucket, topic=topic, config_uri=config_uri, run_id=run_id)
        store = open_store(settings.bucket, denied_seconds=retries.DENIED_SECONDS)
        publisher = open_topic(settings.topic)
        patience = Patience(in_cloud_run=settings.in_cloud_run, log=log)
        with stop_on_signal():
            while True:
                try:
                    request = find_request(
                        settings,
                        store,
                        publisher,
                        via=via,
                        overrides=overrides or {},
                        force=force,
                        patience=patience,
                    )
                    run_id = request.run_id
                    try:
                        log.info(f"run {run_id}", run_id=run_id)
                        with shielded():  # it loads all that trains, which takes a second or two
                            from job.lifecycle import work_on
                    except CancelledError as error:
                        if via == "command":  # no other attempt follows
                            _cancel(request, store, publisher, error)
                        raise
                    ending = work_on(
                        request, settings, store, publisher, log=log, view=view, patience=patience
                    )
                    _show_in_index(store, ending)
                    return ending
                except DeniedError as error:
                    if not patience.wait(error):
                        raise
    except MMMError as error:
        log.error(error.message, exit_code=error.exit_code)
        run_id = error.run_id or run_id or ""
        return Ending(
            run_id=run_id,
            state=_stored_state(store, run_id),
            exit_code=error.exit_code,
            message=error.message,
        )


def _cancel(request: Request, store: Store, publisher: Publisher, reason: CancelledError) -> None:
    """End a run that nothing works on yet."""
    with shielded():
        status = end_request(store, request, State.CANCELLED, run_error(reason))
        publish_end(store, publisher, status)


def _show_in_index(store: Store, ending: Ending) -> None:
    """Show a run that has ended in the page about all markets, unless the process must stop."""
    if ending.state is None or not ending.state.is_terminal or stop_reason():
        return
    from contract.pages.update import show_end  # slow: Jinja

    show_end(store)


def _stored_state(store: Store | None, run_id: str) -> State | None:
    """Return the state of a run, None if there is none or the bucket does not answer."""
    try:
        status = read_status(store, run_id) if store and run_id else None
    except MMMError:
        return None
    return status.state if status else None
