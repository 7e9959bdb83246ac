"""What the environment tells the job. Cloud Run sets CLOUD_RUN_*, the trigger sets MMM_*."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.exceptions import ConfigError
from contract.market import MAX_WAITING


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One attempt of one task of one execution.

    `waits_here`: it waits for its market in this process instead of leaving to be launched again.
    """

    bucket: str
    topic: str
    run_id: str | None
    config_uri: str | None
    execution: str
    in_cloud_run: bool
    attempt: int
    max_retries: int
    task_index: int
    task_count: int
    waits_here: bool
    max_runs_a_day: int | None
    max_waiting: int
    image: str | None
    rscript: str
    r_root: Path
    data_folder: Path | None

    @property
    def last_attempt(self) -> bool:
        """Whether Cloud Run will not try again after this attempt."""
        return self.attempt >= self.max_retries

    @property
    def owner(self) -> str:
        """Who works: execution, task and attempt."""
        return f"{self.execution}/task-{self.task_index}/attempt-{self.attempt}"


def from_environment(
    env: Mapping[str, str] | None = None,
    *,
    bucket: str | None = None,
    topic: str | None = None,
    config_uri: str | None = None,
    run_id: str | None = None,
) -> Settings:
    """Settings from environment variables; arguments win over them.

    Raises:
        ConfigError: a variable is missing or is no number.
    """
    env = os.environ if env is None else env
    bucket = bucket or env.get("MMM_BUCKET")
    topic = topic or env.get("MMM_EVENTS_TOPIC")
    missing = [
        name for name, value in (("MMM_BUCKET", bucket), ("MMM_EVENTS_TOPIC", topic)) if not value
    ]
    if not bucket or not topic:
        raise ConfigError(
            f"{' and '.join(missing)} must be set: a bucket (gs://BUCKET or a folder) and an "
            "events topic (projects/P/topics/T or a .jsonl file)"
        )
    execution = env.get("CLOUD_RUN_EXECUTION")
    return Settings(
        bucket=bucket,
        topic=topic,
        run_id=run_id or env.get("MMM_RUN_ID") or None,
        config_uri=config_uri or env.get("MMM_CONFIG_URI") or None,
        execution=execution or f"local-{uuid.uuid4().hex[:12]}",
        in_cloud_run=execution is not None,
        attempt=_number(env, "CLOUD_RUN_TASK_ATTEMPT", 0),
        max_retries=_number(env, "MMM_MAX_RETRIES", 0),
        task_index=_number(env, "CLOUD_RUN_TASK_INDEX", 0),
        task_count=_number(env, "CLOUD_RUN_TASK_COUNT", 1),
        waits_here=execution is None or env.get("MMM_WAIT_HERE") == "1",
        max_runs_a_day=_number(env, "MMM_MAX_RUNS_A_DAY", 0) or None,
        max_waiting=_number(env, "MMM_MAX_WAITING", 0) or MAX_WAITING,
        image=env.get("MMM_IMAGE") or None,
        rscript=rscript_of(env),
        r_root=r_root_of(env),
        data_folder=Path(env["MMM_DATA_FOLDER"]) if env.get("MMM_DATA_FOLDER") else None,
    )


def rscript_of(env: Mapping[str, str] | None = None) -> str:
    """The program that runs R."""
    return (os.environ if env is None else env).get("MMM_RSCRIPT", "Rscript")


def r_root_of(env: Mapping[str, str] | None = None) -> Path:
    """Return the folder of `run_all.R`."""
    env = os.environ if env is None else env
    return Path(env.get("MMM_R_ROOT", str(Path(__file__).resolve().parents[2] / "r")))


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    value = env.get(name, "")
    if value and not value.isdecimal():
        raise ConfigError(f"the environment variable {name} is `{value}`; allowed: a whole number")
    return int(value) if value else default
