"""Find the request that this process works on, or make one from a config."""

from __future__ import annotations

from typing import Any, Literal

from contract import environment, layout, runid
from contract.exceptions import ConfigError, DeniedError, MMMError
from contract.fetch import fetch_config
from contract.loading import load_config
from contract.rejection import reject
from contract.request import Origin, Request, accepted_status, stored_request
from contract.run import State, Status, create_status, now, read_status
from contract.stores import Store
from contract.stores.atomic import create
from contract.terminal import publish_end
from contract.topics import Publisher
from job.attempt.patience import Patience
from job.runtime.settings import Settings


def find_request(
    settings: Settings,
    store: Store,
    publisher: Publisher,
    *,
    via: Literal["execution", "command"],
    overrides: dict[str, Any],
    force: bool,
    patience: Patience | None = None,
) -> Request:
    """Return the stored request of the settings' run id, else a new one from its config.

    Its time of acceptance is the time at which the bucket stored it. That time orders the runs of a
    market, whatever the clocks of senders, trigger and job say.

    Raises:
        ConfigError: the run id has no request, there is no run id and no config, or the config is
            refused. A refused config ends the run as REJECTED, for all tasks and retries.
        DeniedError: access is denied, and `patience` is not used up.
    """
    if settings.run_id:
        if not runid.is_valid(settings.run_id):
            raise ConfigError(
                f"the run id is `{settings.run_id}`; allowed: e.g. `20261123T020000Z-1a2b3c4d`"
            )
        stored = stored_request(store, settings.run_id)
        if stored is None:  # a config must not be trained under the id of another request
            raise ConfigError(
                f"run `{settings.run_id}` has no request in {store.url}; to train a config, leave "
                f"out the run id (`--run-id`, {environment.RUN_ID})"
            )
        create_accepted(store, stored)  # the trigger writes the status after the launch
        return _by_bucket_clock(store, stored)
    if not settings.config_uri:
        raise ConfigError(
            "there is no run id and no config; give `--config PATH` (a file or gs://…) or set "
            f"{environment.RUN_ID}"
        )
    run_id = runid.for_key(store, runid.execution_key(settings.execution), now())
    _check_not_rejected(store, publisher, read_status(store, run_id))
    text = b""
    try:
        text = _read_config(settings.config_uri, patience)
        resolved = load_config(
            text, origin=settings.config_uri, overrides=overrides, option="--set"
        )
    except ConfigError as error:
        attributes = {"config_uri": settings.config_uri}
        status = reject(store, run_id=run_id, body=text, attributes=attributes, error=error)
        _check_not_rejected(store, publisher, status)
        stored = stored_request(store, run_id)  # another task has read the config
        if stored is None:
            raise
        return _by_bucket_clock(store, stored)
    request = Request.of(
        resolved,
        run_id=run_id,
        force=force,
        origin=Origin(via=via, execution=settings.execution, config_uri=settings.config_uri),
    )
    if not create(store, layout.request(run_id), request.to_json()):
        request = stored_request(store, run_id) or request
    create_accepted(store, request)
    return _by_bucket_clock(store, request)


def _read_config(uri: str, patience: Patience | None) -> bytes:
    try:
        return read_config_text(uri)
    except DeniedError as error:
        if patience is not None and patience.covers(error):
            raise
        raise ConfigError(error.message) from None


def _by_bucket_clock(store: Store, request: Request) -> Request:
    info = store.stat(layout.request(request.run_id))
    return request.model_copy(update={"accepted_at": info.updated}) if info else request


def _check_not_rejected(store: Store, publisher: Publisher, status: Status | None) -> None:
    """Raise the stored error of a run that was rejected, and make sure that its event is published.

    Raises:
        ConfigError: the run was rejected.
    """
    if status is not None and status.state is State.REJECTED and status.error is not None:
        problems = status.error.message.splitlines()
        try:
            publish_end(store, publisher, status)
        except MMMError as failure:
            problems.append(f"the run's event waits in the outbox: {failure}")
        error = ConfigError(problems)
        error.run_id = status.run_id
        raise error


def create_accepted(store: Store, request: Request) -> None:
    """Write the first status of a request's run, unless it has one."""
    create_status(store, accepted_status(request))


def read_config_text(uri: str) -> bytes:
    """Return a config's bytes from gs:// or a local file."""
    return fetch_config(uri, files=True)
