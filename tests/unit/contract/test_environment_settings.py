"""Settings from the environment: what wins, what counts as absent, and what is said of faults."""

from __future__ import annotations

import pytest
from pydantic import Field

from contract.environment_settings import EnvironmentSettings
from contract.exceptions import ConfigError


class Sample(EnvironmentSettings):
    bucket: str = Field(validation_alias="MMM_BUCKET", description="gs://BUCKET")
    runs: int = Field(default=9, ge=0, validation_alias="MMM_RUNS", description="a whole number")


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MMM_BUCKET", raising=False)


def test_given_values_win_over_variables_and_those_over_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Sample.read(bucket="b").runs == 9
    monkeypatch.setenv("MMM_RUNS", "3")
    monkeypatch.setenv("MMM_BUCKET", "from the environment")
    assert Sample.read(bucket="b", runs=None) == Sample(bucket="b", runs=3)
    assert Sample.read(runs=4).bucket == "from the environment"


def test_an_empty_variable_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMM_RUNS", "")
    assert Sample.read(bucket="b").runs == 9


@pytest.mark.parametrize("value", ["many", "-1", "2.5", "9\x1b[31m", "x" * 90])
def test_every_fault_is_one_sentence(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMM_RUNS", value)
    with pytest.raises(ConfigError) as caught:
        Sample.read()
    absent, wrong = caught.value.problems
    assert absent == "the environment variable MMM_BUCKET is missing; set it to gs://BUCKET"
    assert wrong.startswith("the environment variable MMM_RUNS is `")
    assert wrong.endswith("`; allowed: a whole number")
    assert wrong.isprintable()
    with pytest.raises(ConfigError, match=r"MMM_RUNS is `-2`; allowed: a whole number"):
        Sample.read(bucket="b", runs=-2)
