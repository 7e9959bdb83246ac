"""The console's settings."""

from __future__ import annotations

import os
from functools import lru_cache

from pydantic import Field

from contract import environment
from contract.environment_settings import EnvironmentSettings
from contract.exceptions import ConfigError

PEOPLE = "addresses, domains (@example.com) and groups (group:NAME@example.com), with commas"


class Settings(EnvironmentSettings):
    """The bucket, topics and job that the console works on, and who may do what."""

    bucket: str = Field(
        default=".mmm/bucket",
        validation_alias=environment.BUCKET,
        description="gs://BUCKET or a folder's path",
    )
    events_topic: str = Field(
        default=".mmm/events.jsonl",
        validation_alias=environment.EVENTS_TOPIC,
        description="projects/P/topics/T or the path of a .jsonl file",
    )
    requests_topic: str = Field(
        default=".mmm/requests.jsonl",
        validation_alias=environment.REQUESTS_TOPIC,
        description="projects/P/topics/T or the path of a .jsonl file",
    )
    job: str | None = Field(
        default=None,
        validation_alias=environment.JOB,
        pattern=r"^projects/[^/]+/locations/[^/]+/jobs/[^/]+$",
        description="projects/P/locations/L/jobs/J",
    )
    run_endpoint: str | None = Field(
        default=None, validation_alias=environment.RUN_ENDPOINT, description="an http:// address"
    )
    audience: str | None = Field(
        default=None,
        validation_alias=environment.APP_AUDIENCE,
        description="/projects/NUMBER/locations/REGION/services/SERVICE",
    )
    viewers: str = Field(default="", validation_alias=environment.APP_VIEWERS, description=PEOPLE)
    editors: str = Field(default="", validation_alias=environment.APP_EDITORS, description=PEOPLE)
    approvers: str = Field(
        default="", validation_alias=environment.APP_APPROVERS, description=PEOPLE
    )
    user: str | None = Field(
        default=None, validation_alias=environment.APP_USER, description="a name"
    )

    @classmethod
    def current(cls) -> Settings:
        """Return the settings of this process's environment, which are checked once.

        Raises:
            ConfigError: one sentence for each variable that has a wrong value.
        """
        names = (str(field.validation_alias) for field in cls.model_fields.values())
        return _settings(tuple(map(os.environ.get, names)))

    def check(self) -> None:
        """Refuse settings under which anybody could act.

        Raises:
            ConfigError: there is no sign-in, although the console runs on Cloud Run.
        """
        if self.audience is None and environment.CLOUD_RUN_SERVICE in os.environ:
            raise ConfigError(
                f"{environment.APP_AUDIENCE} is not set, so there is no sign-in; set it to "
                "/projects/NUMBER/locations/REGION/services/SERVICE and switch on Identity-Aware "
                "Proxy"
            )


@lru_cache(maxsize=8)
def _settings(environment_of_settings: tuple[str | None, ...]) -> Settings:
    return Settings.read()
