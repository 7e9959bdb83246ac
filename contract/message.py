"""The data of a Pub/Sub message: the config to run, and its markets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import Field, StrictBool, ValidationError, model_validator

from contract import printable
from contract.base import Strict
from contract.config import Config
from contract.documents import parse_document
from contract.exceptions import ConfigError
from contract.explain import explain
from contract.facts import Described
from contract.faults import Fault, refuse
from contract.text import ConfigUri, PathPart, RunId


class Mode(StrEnum):
    """What a run does with the config."""

    TRAIN = "train"
    REFRESH = "refresh"
    PLAN = "plan"


class Message(Strict):
    """The data of a Pub/Sub message."""

    config_uri: ConfigUri | None = Field(default=None, description="Address of a config.")
    config: Annotated[dict[str, Any], Described(Config)] | None = Field(
        default=None, description="A whole config."
    )
    overrides: dict[str, Any] = Field(
        default={}, description="Values that replace the config's, in the same form."
    )
    run_id: RunId | None = Field(default=None, description="Id of the run; made if left out.")
    idempotency_key: str | None = Field(
        default=None, min_length=1, max_length=512, description="The same key means the same run."
    )
    mode: Mode = Mode.TRAIN
    markets: list[PathPart] = Field(
        default=[], max_length=200, description="One run for each; the config's if left out."
    )
    force: StrictBool = Field(
        default=False, description="Train even if the same config and data are trained already."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.config_uri is None) == (self.config is None):
            raise ValueError("give exactly one of `config_uri` and `config`")
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        if self.mode is not Mode.TRAIN:
            yield Fault(
                at=("mode",),
                problem=f"is {self.mode.value}, which is not supported yet; allowed: train",
            )
        for index, market in enumerate(self.markets):
            if market in self.markets[:index]:
                yield Fault(at=("markets", index), problem=f"is `{market}` again; allowed: once")


ALLOWED = "a JSON object with `config_uri` or `config`"


def parse_message(data: bytes, attributes: Mapping[str, str] = MappingProxyType({})) -> Message:
    """Read a message's data; the attributes only help to explain what is missing.

    Raises:
        ConfigError: the message is not valid; one sentence per fault.
    """
    misplaced = [name for name in ("config_uri", "config") if name in attributes]
    hint = (
        f"; `{misplaced[0]}` is among the attributes: put it into the data, e.g. "
        f'{{"{misplaced[0]}": …}}'
        if misplaced
        else ""
    )
    text = data.strip()
    if not text:
        raise ConfigError(f"the message has no data; allowed: {ALLOWED}{hint}")
    if text.startswith((b"gs://", b'"gs://')):
        address = printable.short(text.strip(b'"').decode(errors="replace"))
        hint = f', e.g. {{"config_uri": "{address}"}}'
    document = parse_document(data, what="the message", allowed=f"{ALLOWED}{hint}")
    if misplaced and not document.keys() & {"config_uri", "config"}:
        raise ConfigError(f"the data has no config; allowed: {ALLOWED}{hint}")
    try:
        return Message.model_validate(document)
    except ValidationError as error:
        raise ConfigError(explain(error, Message)) from None
