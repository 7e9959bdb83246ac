"""Cancel a run: ask its processes to stop, wait until they have, and end it as CANCELLED."""

from __future__ import annotations

import time
from collections.abc import Iterable

from contract import layout
from contract.exceptions import ConfigError, NotFoundError
from contract.lease import bucket_time, live_lease
from contract.pages.update import show_changes
from contract.request import stored_request
from contract.run import RunError, State, Status, change_status, read_status
from contract.stores import Store
from contract.terminal import end_request, publish_end
from contract.topics import Publisher
from trigger.execution import Launcher

PATIENCE_SECONDS = 20.0
LOOK_SECONDS = 0.2
REASON = "cancelled by `mmm cancel`"


def cancel(
    run_id: str,
    store: Store,
    publisher: Publisher,
    launcher: Launcher,
    *,
    patience: float = PATIENCE_SECONDS,
) -> Status:
    """Stop a run's processes, wait until they have stopped, and end the run; return its status.

    The wish to stop is written into the run's status, where every process that works on the run
    finds it, wherever it is. Such a process ends the run itself. The run is ended from here if it
    has no process, or if its process has not stopped within `patience` seconds.

    Raises:
        ConfigError: the run does not exist.
        TransientError, ServiceError: Cloud Run, bucket or topic refuses or is unreachable.
    """
    status = read_status(store, run_id)
    if status is not None and status.state.is_terminal:
        publish_end(store, publisher, status)  # its event may not have been published
        return status
    request = stored_request(store, run_id)
    if request is None:
        raise ConfigError(f"there is no run `{run_id}` in {store.url}")
    try:
        status = change_status(store, run_id, lambda _: {"stop": REASON})
    except NotFoundError:  # the run was not launched yet
        status = None
    names = {execution.name for execution in launcher.find(run_id)}
    if not names and status is not None and status.execution:
        names = {status.execution}
    for name in names:
        launcher.cancel(name)
    _wait_for_processes(run_id, store, launcher, names, patience)
    stopped = RunError(code=143, step="cancel", kind="CancelledError", message=REASON)
    ended = end_request(store, request, State.CANCELLED, stopped)
    publish_end(store, publisher, ended)
    show_changes(store)
    return ended


def _wait_for_processes(
    run_id: str, store: Store, launcher: Launcher, names: Iterable[str], patience: float
) -> None:
    """Wait until no process works on the run any more, at most `patience` seconds."""
    deadline = time.monotonic() + patience
    at = bucket_time(store, layout.clock(run_id))
    while time.monotonic() < deadline:
        known = [one for name in names if (one := launcher.get(name)) is not None]
        running = any(not one.phase.is_over for one in known)
        if not running and (known or live_lease(store, run_id, at=at) is None):
            return
        time.sleep(LOOK_SECONDS)
