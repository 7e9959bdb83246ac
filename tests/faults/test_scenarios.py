"""The most common faults, each played alone: chaos plans that are written by hand."""

from __future__ import annotations

import pytest

from tests.fakes.pubsub import Emulator
from tests.faults import chaos
from tests.faults.plan import Plan

SCENARIOS = {
    "executed twice at once": (Plan(seed=1_000_001, twice=True, by_args=True), "SUCCEEDED"),
    "storage unreachable for the job": (
        Plan(seed=1_000_002, restart_at=45, restart_seconds=3.0),
        "SUCCEEDED",
    ),
    "storage unreachable for the trigger": (
        Plan(seed=1_000_003, restart_at=4, restart_seconds=3.0, restart_by="trigger", deliveries=2),
        "SUCCEEDED",
    ),
    "the manifest is refused": (Plan(seed=1_000_004, refuses_manifest=True), "FAILED"),
}


@pytest.fixture(autouse=True)
def _storage() -> None:
    if reason := chaos.gcs.missing():
        pytest.skip(reason)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_ends_as_it_should(name: str) -> None:
    plan, state = SCENARIOS[name]
    played = chaos.perform(plan)
    assert played.problem is None
    assert set(played.states) == {state}
    assert len(played.faults) >= 1, "no fault was injected"
    if plan.refuses_manifest:
        assert "the manifest cannot be written" in played.ends[0]


def test_a_topic_that_is_down_for_the_whole_run(pubsub_emulator: Emulator) -> None:
    """The run succeeds, and `reconcile` publishes its one event once the topic is back."""
    played = chaos.perform(Plan(seed=1_000_005, topic="down"), pubsub_emulator.host)
    assert (played.problem, played.states) == (None, ("SUCCEEDED",))
    assert played.faults == ("topic down",)
