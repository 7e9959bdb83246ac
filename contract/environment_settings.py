"""Settings from environment variables, for trigger and job: one parser, one kind of message."""

from __future__ import annotations

from typing import Any, Self

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from contract.exceptions import ConfigError
from contract.printable import short


class EnvironmentSettings(BaseSettings):
    """Base of a group of settings.

    A field's `validation_alias` names its environment variable, and its `description` says which
    values are allowed. An empty variable counts as absent.

    Example:
        >>> from pydantic import Field
        >>> class Limits(EnvironmentSettings):
        ...     runs: int = Field(
        ...         default=9, ge=0, validation_alias="MMM_RUNS", description="a whole number"
        ...     )
        >>> Limits.read(runs=3)
        Limits(runs=3)
    """

    model_config = SettingsConfigDict(
        case_sensitive=True,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    @classmethod
    def read(cls, **given: Any) -> Self:
        """Read the process's environment; `given` values win over it, except for None.

        Raises:
            ConfigError: one sentence for each variable that is missing or has a wrong value.
        """
        try:
            return cls(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            raise ConfigError([_sentence(cls, fault) for fault in error.errors()]) from None


def _sentence(settings: type[EnvironmentSettings], fault: Any) -> str:
    place = fault["loc"][0]
    name, allowed = next(
        (field.validation_alias, field.description)
        for name, field in settings.model_fields.items()
        if place in (name, field.validation_alias)
    )
    if fault["type"] == "missing":
        return f"the environment variable {name} is missing; set it to {allowed}"
    return f"the environment variable {name} is `{short(str(fault['input']))}`; allowed: {allowed}"
