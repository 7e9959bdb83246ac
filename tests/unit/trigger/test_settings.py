"""The trigger's settings."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contract import environment
from contract.exceptions import ConfigError
from tests.unit.trigger.conftest import JOB
from trigger.accept import MAX_MESSAGE_AGE
from trigger.settings import Settings


def test_the_default_age_is_two_days() -> None:
    settings = Settings.read(bucket="b", events_topic="t", job=JOB)
    assert settings.max_message_age == MAX_MESSAGE_AGE == timedelta(days=2)


def test_all_faults_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(environment.BUCKET, raising=False)
    monkeypatch.delenv(environment.EVENTS_TOPIC, raising=False)
    monkeypatch.setenv(environment.JOB, "mmm-trainer")
    monkeypatch.setenv(environment.MAX_MESSAGE_AGE_HOURS, "0")
    with pytest.raises(ConfigError) as caught:
        Settings.read()
    said = "\n".join(caught.value.problems)
    assert "MMM_BUCKET is missing; set it to gs://BUCKET or a folder's path" in said
    assert "MMM_EVENTS_TOPIC is missing; set it to projects/P/topics/T" in said
    assert "MMM_JOB is `mmm-trainer`; allowed: projects/P/locations/L/jobs/J" in said
    assert "MMM_MAX_MESSAGE_AGE_HOURS is `0`; allowed: a whole number from 1 to 999999" in said
