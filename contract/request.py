"""The request that is stored for a run: what to train, and where the request came from."""

from __future__ import annotations

import uuid
from contextlib import suppress
from functools import partial
from typing import Any, Literal, Self

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from contract import layout
from contract.allowed_values import locate
from contract.base import Strict
from contract.config import Config, hash_of
from contract.damage import unless_damaged
from contract.exceptions import ConfigError, NotFoundError
from contract.explain import explain
from contract.faults import path_of
from contract.loading import Resolved
from contract.run import State, Status, now
from contract.stored import Moment, Stored, read_fields
from contract.stores.atomic import create
from contract.stores.base import Store


class Origin(Strict):
    """Where a request came from."""

    via: Literal["pubsub", "execution", "command"]
    message_id: str | None = None
    topic: str | None = None
    publish_time: str | None = None
    execution: str | None = None
    config_uri: str | None = None


class Request(Stored):
    """`runs/<run id>/request.json`: written once, read by every process that works on the run.

    `nonce` distinguishes two writers of otherwise equal requests.
    """

    run_id: str
    market: str
    revision: str
    config: dict[str, Any]
    origins: dict[str, str]
    config_hash: str
    force: bool = False
    origin: Origin
    accepted_at: Moment
    nonce: str

    @classmethod
    def of(cls, resolved: Resolved, *, run_id: str, origin: Origin, force: bool) -> Self:
        """Make the request of a run from its resolved config."""
        return cls(
            run_id=run_id,
            market=resolved.config.market,
            revision=resolved.config.revision,
            config=resolved.values,
            origins=resolved.origins,
            config_hash=hash_of(resolved.values),
            force=force,
            origin=origin,
            accepted_at=now(),
            nonce=uuid.uuid4().hex,
        )

    def read_config(self) -> Config:
        """Return the resolved config; fields of a newer version count only if they were set.

        Raises:
            ConfigError: this version does not accept the config.
        """
        try:
            return Config.model_validate(self.config)
        except ValidationError as error:
            if all(self._is_later_default(fault) for fault in error.errors(include_url=False)):
                return Config.model_validate(self.config, extra="ignore")
            problems = explain(error, Config)
            raise ConfigError(
                [
                    f"the request of run {self.run_id} does not fit this version of MMM Trainer, "
                    "probably because a newer version accepted it; update the job's image and the "
                    f"function, and request the run again: {problem}"
                    for problem in problems
                ]
            ) from None

    def _is_later_default(self, fault: ErrorDetails) -> bool:
        """Return whether an unknown field holds only its version's default."""
        place, _ = locate(Config, fault["loc"])
        path = path_of(place)
        origins = [
            origin
            for name, origin in self.origins.items()
            if name == path or name.startswith((f"{path}.", f"{path}["))
        ]
        return (
            fault["type"] == "extra_forbidden"
            and bool(origins)
            and all(origin == "default" or origin.startswith("preset ") for origin in origins)
        )


def accepted_status(request: Request) -> Status:
    """Return the first status of a request's run."""
    return Status(
        run_id=request.run_id,
        state=State.ACCEPTED,
        market=request.market,
        revision=request.revision,
        created_at=request.accepted_at,
        updated_at=now(),
    )


def stored_request(store: Store, run_id: str) -> Request | None:
    """Return the stored request of a run, None if there is none.

    The request of a message with its own key is stored under the key, where messages with equal
    keys meet. This function then copies it to the run's other objects.
    """
    path = layout.request(run_id)
    with suppress(NotFoundError):
        return Request.from_json(store.read(path).data, path=path, run_id=run_id)
    for info in store.list(layout.keys(run_id)):
        then = f"it is not looked at for the request of run {run_id}"
        found = unless_damaged(partial(_under_key, store, info.path, run_id), None, then=then)
        if found is not None:
            request, data = found
            create(store, path, data)
            return request
    return None


def _under_key(store: Store, path: str, run_id: str) -> tuple[Request, bytes] | None:
    """Return the request that a key's object has for a run and its bytes, None if it has none."""
    data = store.read(path).data
    fields = read_fields(data, "run_id", path=path)
    if fields["run_id"] != run_id or "config" not in fields:
        return None
    return Request.from_json(data, path=path), data
