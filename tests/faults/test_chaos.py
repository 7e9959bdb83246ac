"""Play three seeds of faults over the real clients; `make chaos N=500 SEED=1` plays more."""

from __future__ import annotations

import pytest

from tests.fakes import gcs, pubsub
from tests.faults.chaos import perform
from tests.faults.plan import draw


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 4])
def test_invariants_hold_after_faults(seed: int, request: pytest.FixtureRequest) -> None:
    if reason := gcs.missing():
        pytest.skip(reason)
    plan, emulator = draw(seed), None
    if plan.topic and not pubsub.missing():
        emulator = request.getfixturevalue("pubsub_emulator").host
    played = perform(plan, emulator)
    assert played.problem is None
    assert played.faults, "no fault was injected"
