"""The job's settings. Cloud Run sets CLOUD_RUN_*; Terraform and the trigger set MMM_*."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from contract import environment
from contract.environment_settings import EnvironmentSettings
from contract.market import MAX_WAITING

Whole = Annotated[int, Field(ge=0)]
WHOLE = "a whole number, 0 or more"


def _nevergrad_python() -> Path:
    """Return the interpreter of `.venv-nevergrad` if `make setup` has made it, else this one."""
    own = Path(__file__).resolve().parents[2] / ".venv-nevergrad" / "bin" / "python"
    return own if own.exists() else Path(sys.executable)


class RSide(EnvironmentSettings):
    """How R is run."""

    rscript: str = Field(
        default="Rscript",
        validation_alias=environment.RSCRIPT,
        description="the name or path of Rscript",
    )
    r_root: Path = Field(
        default=Path(__file__).resolve().parents[2] / "r",
        validation_alias=environment.R_ROOT,
        description="the folder of run_all.R",
    )
    nevergrad_python: Path = Field(
        default_factory=_nevergrad_python,
        validation_alias=environment.NEVERGRAD_PYTHON,
        description="the path of a Python interpreter that has nevergrad",
    )


class Settings(RSide):
    """One attempt of one task of one execution."""

    bucket: str = Field(
        validation_alias=environment.BUCKET, description="gs://BUCKET or a folder's path"
    )
    topic: str = Field(
        validation_alias=environment.EVENTS_TOPIC,
        description="projects/P/topics/T or the path of a .jsonl file",
    )
    run_id: str | None = Field(
        default=None, validation_alias=environment.RUN_ID, description="a run's id"
    )
    config_uri: str | None = Field(
        default=None,
        validation_alias=environment.CONFIG_URI,
        description="gs://BUCKET/PATH or a file's path",
    )
    execution: str = Field(
        default_factory=lambda: f"local-{uuid.uuid4().hex[:12]}",
        validation_alias=environment.CLOUD_RUN_EXECUTION,
        description="an execution's name",
    )
    attempt: Whole = Field(
        default=0, validation_alias=environment.CLOUD_RUN_TASK_ATTEMPT, description=WHOLE
    )
    max_retries: Whole = Field(
        default=0, validation_alias=environment.MAX_RETRIES, description=WHOLE
    )
    task_index: Whole = Field(
        default=0, validation_alias=environment.CLOUD_RUN_TASK_INDEX, description=WHOLE
    )
    task_count: int = Field(
        default=1,
        ge=1,
        validation_alias=environment.CLOUD_RUN_TASK_COUNT,
        description="a whole number, 1 or more",
    )
    wait_here: bool = Field(
        default=False, validation_alias=environment.WAIT_HERE, description="1 or 0"
    )
    max_runs_a_day: Annotated[Whole, AfterValidator(lambda given: given or None)] | None = Field(
        default=None,
        validation_alias=environment.MAX_RUNS_A_DAY,
        description=f"{WHOLE}; 0 for no limit",
    )
    max_waiting: Annotated[Whole, AfterValidator(lambda given: given or MAX_WAITING)] = Field(
        default=MAX_WAITING,
        validation_alias=environment.MAX_WAITING,
        description=f"{WHOLE}; 0 for the default, {MAX_WAITING}",
    )
    image: str | None = Field(
        default=None, validation_alias=environment.IMAGE, description="an image by its digest"
    )
    data_folder: Path | None = Field(
        default=None, validation_alias=environment.DATA_FOLDER, description="a folder's path"
    )

    @property
    def in_cloud_run(self) -> bool:
        """Whether Cloud Run, or its stand-in, runs this attempt."""
        return "execution" in self.model_fields_set

    @property
    def waits_here(self) -> bool:
        """Whether the attempt waits for its market here, instead of exiting until a new launch."""
        return self.wait_here or not self.in_cloud_run

    @property
    def last_attempt(self) -> bool:
        """Whether Cloud Run will not try again after this attempt."""
        return self.attempt >= self.max_retries

    @property
    def owner(self) -> str:
        """The owner of the lease: execution, task and attempt."""
        return f"{self.execution}/task-{self.task_index}/attempt-{self.attempt}"
