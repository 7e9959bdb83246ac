"""What a message asks for, and the request that is stored for a run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from contract.base import Strict
from contract.config import Config
from contract.exceptions import ConfigError
from contract.loading import MAX_CONFIG_BYTES, explain, parse_document
from contract.stored import Moment, Stored

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
        """The resolved config.

        Raises:
            ConfigError: this version does not take it (any more).
        """
        try:
            return Config.model_validate(self.config)
        except ValidationError as error:
            problems = explain(error, Config, self.config)
            raise ConfigError(
                [f"the request of run {self.run_id}: {p}" for p in problems]
            ) from None
