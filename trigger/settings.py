"""The trigger's settings."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from contract import environment
from contract.environment_settings import EnvironmentSettings


class Settings(EnvironmentSettings):
    """The bucket, topic and job of the trigger, and the greatest age of a message."""

    bucket: str = Field(
        validation_alias=environment.BUCKET, description="gs://BUCKET or a folder's path"
    )
    events_topic: str = Field(
        validation_alias=environment.EVENTS_TOPIC,
        description="projects/P/topics/T or the path of a .jsonl file",
    )
    job: str = Field(
        validation_alias=environment.JOB,
        pattern=r"^projects/[^/]+/locations/[^/]+/jobs/[^/]+$",
        description="projects/P/locations/L/jobs/J",
    )
    run_endpoint: str | None = Field(
        default=None, validation_alias=environment.RUN_ENDPOINT, description="an http:// address"
    )
    max_message_age_hours: int = Field(
        default=48,
        gt=0,
        lt=1_000_000,
        validation_alias=environment.MAX_MESSAGE_AGE_HOURS,
        description="a whole number from 1 to 999999",
    )

    @property
    def max_message_age(self) -> timedelta:
        """The greatest age of a message; older messages are refused."""
        return timedelta(hours=self.max_message_age_hours)
