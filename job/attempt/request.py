"""Find the request that this process works on, or make one from a config."""

from __future__ import annotations

from typing import Any, Literal

from contract import layout, runid
from contract.exceptions import ConfigError
from contract.fetch import fetch_config
from contract.loading import load_config
from contract.rejection import reject
from contract.request import Origin, Request, accepted_status, stored_request
from contract.run import create_status, now
from contract.stores import Store
from contract.stores.atomic import create
from contract.topics import Publisher
from job.runtime.settings import Settings


def find_request(
    settings: Settings,
    store: Store,
    publisher: Publisher,
    *,
    via: Literal["execution", "command"],
    overrides: dict[str, Any],
    force: bool,
) -> Request:
    """Return the stored request of the settings' run id, else a new one from its config.

    Raises:
        ConfigError: the settings have no run id and no config, or the config is refused. A refused
            config is stored under `rejected/` and gets an event.
    """
    if settings.run_id:
        if not runid.is_valid(settings.run_id):
            raise ConfigError(
                f"the run id is `{settings.run_id}`; allowed: e.g. `20261123T020000Z-1a2b3c4d`"
            )
        stored = stored_request(store, settings.run_id)
        if stored is not None:
            create_accepted(store, stored)  # the trigger writes the status after the launch
            return stored
    if not settings.config_uri:
        problem = (
            f"run `{settings.run_id}` has no request in {store.url}"
            if settings.run_id
            else "there is no run id and no config"
        )
        raise ConfigError(f"{problem}; give `--config PATH` (a file or gs://…) or set MMM_RUN_ID")
    run_id = settings.run_id or runid.for_key(store, settings.execution, now())
    text = b""
    try:
        text = read_config_text(settings.config_uri)
        resolved = load_config(
            text, origin=settings.config_uri, overrides=overrides, option="--set"
        )
    except ConfigError as error:
        reject(
            store,
            publisher,
            run_id=run_id,
            body=text,
            attributes={"config_uri": settings.config_uri},
            error=error,
        )
        error.run_id = run_id
        raise
    request = Request.of(
        resolved,
        run_id=run_id,
        force=force,
        origin=Origin(via=via, execution=settings.execution, config_uri=settings.config_uri),
    )
    if not create(store, layout.request(run_id), request.to_json()):
        request = stored_request(store, run_id) or request
    create_accepted(store, request)
    return request


def create_accepted(store: Store, request: Request) -> None:
    """Write the first status of a request's run, unless it has one."""
    create_status(store, accepted_status(request))


def read_config_text(uri: str) -> bytes:
    """Return a config's bytes from gs:// or a local file."""
    return fetch_config(uri, files=True)
