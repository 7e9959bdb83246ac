"""The job's settings, as Cloud Run, Terraform and the trigger give them."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract import environment
from contract.exceptions import ConfigError
from contract.market import MAX_WAITING
from job.runtime.settings import RSide, Settings


@pytest.fixture(autouse=True)
def _deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in vars(environment):
        monkeypatch.delenv(f"MMM_{name}", raising=False)
    for name in environment.TASK:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(environment.BUCKET, "gs://bucket")
    monkeypatch.setenv(environment.EVENTS_TOPIC, "projects/p/topics/t")


def test_an_attempt_on_cloud_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        environment.CLOUD_RUN_EXECUTION: "job-abcde",
        environment.CLOUD_RUN_TASK_INDEX: "2",
        environment.CLOUD_RUN_TASK_COUNT: "4",
        environment.CLOUD_RUN_TASK_ATTEMPT: "1",
        environment.MAX_RETRIES: "1",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings.read()
    assert settings.owner == "job-abcde/task-2/attempt-1"
    assert settings.last_attempt
    assert settings.in_cloud_run
    assert not settings.waits_here
    monkeypatch.setenv(environment.WAIT_HERE, "1")
    assert Settings.read().waits_here


def test_a_process_of_a_person_is_an_execution_of_its_own() -> None:
    one, other = Settings.read(), Settings.read(config_uri="de.yaml")
    assert one.execution.startswith("local-")
    assert one.execution != other.execution
    assert one.waits_here
    assert not one.in_cloud_run
    assert (other.config_uri, other.task_count) == ("de.yaml", 1)


@pytest.mark.parametrize(
    ("text", "runs", "waiting"), [("", None, MAX_WAITING), ("0", None, MAX_WAITING), ("3", 3, 3)]
)
def test_limits_of_a_deployment(
    text: str, runs: int | None, waiting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(environment.MAX_RUNS_A_DAY, text)
    monkeypatch.setenv(environment.MAX_WAITING, text)
    settings = Settings.read()
    assert (settings.max_runs_a_day, settings.max_waiting) == (runs, waiting)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        (environment.MAX_RUNS_A_DAY, "-1", "a whole number, 0 or more; 0 for no limit"),
        (environment.MAX_WAITING, "few", "a whole number, 0 or more; 0 for the default, 100"),
        (environment.MAX_RETRIES, "1.5", "a whole number, 0 or more"),
        (environment.CLOUD_RUN_TASK_COUNT, "0", "a whole number, 1 or more"),
        (environment.WAIT_HERE, "maybe", "1 or 0"),
    ],
)
def test_a_wrong_value_is_refused(
    name: str, value: str, allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        Settings.read()
    assert caught.value.problems == [
        f"the environment variable {name} is `{value}`; allowed: {allowed}"
    ]


def test_r_is_found_in_the_checkout_or_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (RSide.read().r_root / "run_all.R").is_file()
    monkeypatch.setenv(environment.R_ROOT, str(tmp_path))
    assert Settings.read().r_root == tmp_path
