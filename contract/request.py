"""What a message asks for, and the request that is stored for a run."""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator
from pydantic_core import ErrorDetails

from contract import layout
from contract.base import Strict
from contract.config import Config
from contract.exceptions import ConfigError, NotFoundError
from contract.loading import MAX_CONFIG_BYTES, explain, parse_document, path_of
from contract.stored import Moment, Stored, read_fields
from contract.stores.atomic import create
from contract.stores.base import Store

MAX_MESSAGE_BYTES = 1024 * 1024


class Mode(StrEnum):
    """What is done with the config."""

    TRAIN = "train"
    REFRESH = "refresh"
    PLAN = "plan"


class Message(Strict):
    """The data of a Pub/Sub message."""

    config_uri: str | None = Field(default=None, max_length=1024, pattern=r"^gs://|^file://")
    config: dict[str, Any] | None = None
    overrides: dict[str, Any] = {}
    run_id: str | None = Field(default=None, pattern=r"^\d{8}T\d{6}Z-[0-9a-f]{8}$")
    idempotency_key: str | None = Field(default=None, min_length=1, max_length=512)
    mode: Mode = Mode.TRAIN
    markets: list[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,62}$")]
    ] = Field(default=[], max_length=200, description="One run for each; the config's if empty.")
    force: bool = Field(default=False, description="Train even if the same run was done before.")

    @model_validator(mode="after")
    def _one_config(self) -> Self:
        if (self.config_uri is None) == (self.config is None):
            raise ValueError("give exactly one of `config_uri` and `config`")
        if self.mode is not Mode.TRAIN:
            raise ValueError(f"`mode` {self.mode.value} is not supported yet; allowed: train")
        if len(set(self.markets)) != len(self.markets):
            raise ValueError("`markets` names a market twice")
        return self


def parse_message(data: bytes) -> Message:
    """Read a message's data.

    Raises:
        ConfigError: what is wrong with it, one sentence per fault.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise ConfigError(
            f"the message has {len(data)} bytes; allowed: at most {MAX_MESSAGE_BYTES}"
        )
    if not data.strip():
        raise ConfigError("the message is empty; allowed: JSON with `config_uri` or `config`")
    if len(data) > MAX_CONFIG_BYTES:
        raise ConfigError(f"the message has {len(data)} bytes; allowed: at most {MAX_CONFIG_BYTES}")
    document = parse_document(data, what="the message")
    try:
        return Message.model_validate(document)
    except ValidationError as error:
        raise ConfigError(explain(error, Message, document)) from None


class Origin(Strict):
    """Where a request came from."""

    via: Literal["pubsub", "execution", "command"]
    message_id: str | None = None
    topic: str | None = None
    publish_time: str | None = None
    execution: str | None = None
    config_uri: str | None = None


class Request(Stored):
    """`runs/<run id>/request.json`: written once, read by whoever works on the run.

    `nonce` is the writer's own: it tells two writers of otherwise equal requests apart.
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

    def read_config(self) -> Config:
        """The resolved config; a newer version's fields count only where somebody has set them.

        Raises:
            ConfigError: this version does not take it (any more).
        """
        try:
            return Config.model_validate(self.config)
        except ValidationError as error:
            if all(self._is_later_default(fault) for fault in error.errors(include_url=False)):
                return Config.model_validate(self.config, extra="ignore")
            problems = explain(error, Config, self.config)
            raise ConfigError(
                [f"the request of run {self.run_id}: {p}" for p in problems]
            ) from None

    def _is_later_default(self, fault: ErrorDetails) -> bool:
        """Whether an unknown field holds no more than what its version takes where none is set."""
        path = path_of(fault["loc"])
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


def stored_request(store: Store, run_id: str) -> Request | None:
    """The stored request of a run, None where there is none.

    That of a message with a key of its own is written under the key, which decides between equal
    ones; here it is laid beside the run's other objects.
    """
    path = layout.request(run_id)
    with suppress(NotFoundError):
        return Request.from_json(store.read(path).data, path=path, run_id=run_id)
    for info in store.list(layout.keys(run_id)):
        data = store.read(info.path).data
        fields = read_fields(data, "run_id", path=info.path)
        if fields["run_id"] == run_id and "config" in fields:
            create(store, path, data)
            return Request.from_json(data, path=info.path)
    return None
