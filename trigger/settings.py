"""What the environment tells the function."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from contract.exceptions import ConfigError

JOB = re.compile(r"^projects/[^/]+/locations/[^/]+/jobs/[^/]+$")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where requests go, and the limits that hold for all of them."""

    bucket: str
    events_topic: str
    job: str
    run_endpoint: str | None = None
    max_message_age: timedelta = timedelta(days=2)


def from_environment(env: Mapping[str, str] | None = None) -> Settings:
    """Settings from environment variables.

    Raises:
        ConfigError: a variable is missing or has no usable value; names all of them at once.
    """
    env = os.environ if env is None else env
    problems = [
        f"the environment variable {name} must be set: {what}"
        for name, what in (
            ("MMM_BUCKET", "gs://BUCKET or a folder"),
            ("MMM_EVENTS_TOPIC", "projects/P/topics/T or a .jsonl file"),
            ("MMM_JOB", "projects/P/locations/L/jobs/J"),
        )
        if not env.get(name)
    ]
    job = env.get("MMM_JOB", "")
    if job and not JOB.fullmatch(job):
        problems.append(f"MMM_JOB is `{job}`; allowed: projects/P/locations/L/jobs/J")
    hours = _number(env, "MMM_MAX_MESSAGE_AGE_HOURS", problems) or 48
    if problems:
        raise ConfigError(problems)
    return Settings(
        bucket=env["MMM_BUCKET"],
        events_topic=env["MMM_EVENTS_TOPIC"],
        job=job,
        run_endpoint=env.get("MMM_RUN_ENDPOINT") or None,
        max_message_age=timedelta(hours=hours),
    )


def _number(env: Mapping[str, str], name: str, problems: list[str]) -> int | None:
    text = env.get(name, "")
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text) < 1_000_000:
        problems.append(f"{name} is `{text}`; allowed: a whole number above 0")
        return None
    return int(text)
