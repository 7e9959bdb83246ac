"""Environment variables: Terraform, programs and documents use the names of one module."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings as AppSettings
from contract import environment
from contract.environment_settings import EnvironmentSettings
from job.cost.machine import Size
from job.runtime.settings import Settings as JobSettings
from tests.infra.terraform_source import load
from trigger.settings import Settings as TriggerSettings

ROOT = Path(__file__).resolve().parents[2]
NAMES = {v for v in vars(environment).values() if isinstance(v, str) and v.isupper()}
OF_TESTS = {"MMM_ALL_MOMENTS", "MMM_SKIP_ROBYN"}  # of scripts and tests, not of the programs
OF_SNOWFLAKE = {"MMM_WH", "MMM_MONITOR", "MMM_READER", "MMM_TRAINER"}  # names of its objects
SOURCES = sorted(
    path
    for package in ("app", "contract", "job", "mmm", "trigger")
    for path in (ROOT / package).rglob("*.py")
)


def set_by_terraform() -> dict[str, set[str]]:
    """Names that Terraform sets, for each program."""
    module = load(ROOT / "infra")
    function = module.resources["google_cloudfunctions2_function"]["this"]
    given = _names(function["service_config"])
    return {"trigger": given, "reconcile": given, "job": _names(module.locals["job_env"])}


def _names(value: Any) -> set[str]:
    return set(re.findall(r"\bMMM_[A-Z_]+(?=\W+[=:])", str(value)))


def read_by(*groups: type[EnvironmentSettings], required: bool = False) -> set[str]:
    """Names that settings read."""
    fields = [field for group in groups for field in group.model_fields.values()]
    return {str(f.validation_alias) for f in fields if f.is_required() or not required}


@pytest.mark.parametrize("program", ["trigger", "reconcile", "job"])
def test_terraform_sets_what_the_program_needs_and_nothing_unknown(program: str) -> None:
    groups = (JobSettings, Size) if program == "job" else (TriggerSettings,)
    given = set_by_terraform()[program]
    # The clients of Google's services read the project, not the settings.
    assert read_by(*groups, required=True) <= given <= read_by(*groups) | {environment.PROJECT}


def test_terraform_describes_what_the_job_runs_on() -> None:
    assert (
        read_by(Size) | {environment.IMAGE, environment.MAX_RETRIES} <= (set_by_terraform()["job"])
    )


def test_settings_read_known_names_only() -> None:
    assert read_by(AppSettings, JobSettings, Size, TriggerSettings) <= NAMES


def test_programs_use_the_constants() -> None:
    spelled, used = {}, set()
    for path in SOURCES:
        text = path.read_text()
        used |= set(re.findall(r"\benvironment\.([A-Z_]+)", text))
        if found := re.findall(r"\"(?:MMM|CLOUD_RUN)_[A-Z_]+\"", text):
            spelled[path.relative_to(ROOT).as_posix()] = found
    assert spelled.keys() - {"contract/environment_settings.py"} == {"contract/environment.py"}
    constants = {name for name, value in vars(environment).items() if str(value) in NAMES}
    assert constants <= used


@pytest.mark.parametrize(
    "document",
    [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "infra").glob("*.tf"))],
    ids=lambda path: path.name,
)  # fmt: skip
def test_documents_name_known_variables(document: Path) -> None:
    named = set(re.findall(r"\b(?:MMM|CLOUD_RUN)_[A-Z_]+\b", document.read_text()))
    assert named <= NAMES | OF_TESTS | OF_SNOWFLAKE
