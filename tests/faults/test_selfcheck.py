"""Robyn's own code detects a wrong fast search, and the run still gives the right results."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs import WEEKLY, Place, altered_r, has_robyn, result_of

CONFIG = f"""{WEEKLY}
training: {{trials: 2, iterations: 12, min_candidates: 10, engine: robyn, prophet: [trend],
  cores: 2, seed: 7, min_r2: -1}}
posterior: {{enabled: false}}
outputs: {{onepagers: 0, allocator: []}}
"""
RIGHT = "record$coefficients[, k] <- model$coefficients"


@pytest.mark.skipif(not has_robyn(), reason="Robyn is not installed")
def test_robyn_repeats_a_search_that_it_does_not_confirm(tmp_path: Path) -> None:
    wrong = altered_r(tmp_path, "R/search.R", RIGHT, f"{RIGHT} * (1 + 1e-6)")
    place = Place(tmp_path, CONFIG)

    line, output = place.command(MMM_R_ROOT=str(wrong))
    assert line.startswith("SUCCEEDED"), output[-3000:]
    (run_id,) = place.run_ids()
    manifest, (event,) = place.manifest(run_id), place.events()
    assert (manifest["engine"], manifest["search"]) == ("robyn", "robyn")
    check = manifest["selfcheck"]
    assert check["passed"] is False
    assert check["tolerance"] == 1e-8
    assert 0.5e-6 < check["largest_difference"] < 2e-6
    assert "all models are searched again by robyn_run" in check["warning"]
    assert (
        len(manifest["warnings"]) > 1
    )  # there are earlier ones, but an event has only the first 20
    assert manifest["warnings"][0] == event["data"]["warnings"][0] == check["warning"]

    line, output = place.command("training.search=robyn")
    assert line.startswith("SUCCEEDED"), output[-3000:]
    (other,) = set(place.run_ids()) - {run_id}
    assert place.manifest(other)["selfcheck"] is None
    assert result_of(place.store, run_id) == result_of(place.store, other)
