"""The data of a Pub/Sub message: which config to run, for which markets."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from contract.base import Strict
from contract.exceptions import ConfigError
from contract.loading import MAX_CONFIG_BYTES, explain, parse_document


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
    if not data.strip():
        raise ConfigError("the message is empty; allowed: JSON with `config_uri` or `config`")
    if len(data) > MAX_CONFIG_BYTES:
        raise ConfigError(f"the message has {len(data)} bytes; allowed: at most {MAX_CONFIG_BYTES}")
    document = parse_document(data, what="the message")
    try:
        return Message.model_validate(document)
    except ValidationError as error:
        raise ConfigError(explain(error, Message, document)) from None
