"""Cancel a run: stop its executions, then end it as CANCELLED."""

from __future__ import annotations

import time

from contract.exceptions import ConfigError
from contract.request import stored_request
from contract.run import RunError, State, Status, read_status
from contract.stores import Store
from contract.terminal import end_request, publish_end
from contract.topics import Publisher
from trigger.execution import Launcher

PATIENCE_SECONDS = 20.0


def cancel(
    run_id: str,
    store: Store,
    publisher: Publisher,
    launcher: Launcher,
    *,
    patience: float = PATIENCE_SECONDS,
) -> Status:
    """Stop a run's executions, wait until they end, and end the run; return its status.

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
    stopped = RunError(
        code=143, step="cancel", kind="CancelledError", message="cancelled by `mmm cancel`"
    )
    ended = end_request(store, request, State.CANCELLED, stopped)
    publish_end(store, publisher, ended)
    return ended
