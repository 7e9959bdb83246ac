"""Fifty faults over the real clients; `make chaos N=500 SEED=1` plays more of them."""

from __future__ import annotations

import pytest

from tests.faults import chaos

FAULTS = 50


@pytest.mark.timeout(900)
def test_what_must_hold_holds_after_fifty_faults() -> None:
    if reason := chaos.gcs.missing():
        pytest.skip(reason)
    played = list(chaos.campaign(FAULTS, seed=1, workers=2))
    assert [one for one in played if one.problem] == []
    assert sum(len(one.faults) for one in played) >= FAULTS
    assert any("SUCCEEDED" in one.states for one in played)
