"""`mmm budget`, and changes of a config's text that leave its other lines alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from contract import layout
from contract.base import canonical_json
from contract.exceptions import ConfigError
from contract.loading import load_config
from contract.stores.folder import FolderStore
from mmm.budget import Curves, WhatIf, read_curves, what_if
from mmm.commands import app
from mmm.edit_config import with_budget, with_lift_tests
from mmm.runs import find
from tests.runs import WEEKLY
from tests.unit.app.test_decide import write_curves
from tests.unit.compare.test_compare import FIRST, put

TEST = {"channel": "tv", "start": "2025-03-03", "end": "2025-03-30", "lift": 9.0, "spend": 1.0}


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "bucket")
    put(store, FIRST)
    store.write(layout.current("r1", "DE"), canonical_json({"run_id": FIRST}))
    write_curves(store, FIRST)
    return store


@pytest.fixture
def curves(store: FolderStore) -> Curves:
    return read_curves(store, find(store, FIRST, revision="r1"))


@pytest.mark.parametrize("factor", [0.1, 0.5, 0.9, 1.0, 1.1, 1.5, 2.0])
def test_the_median_is_the_stored_curve(curves: Curves, factor: float) -> None:
    found = what_if(curves, {"tv": factor, "search": factor})
    for one in found.channels:
        stored = np.interp(factor, curves.factors[one.channel], curves.medians[one.channel])
        drawn_now = float(np.median(curves.contribution[one.channel]))
        today = np.interp(1.0, curves.factors[one.channel], curves.medians[one.channel])
        assert one.contribution_then.median == pytest.approx(stored * drawn_now / today, rel=1e-9)
        assert one.contribution_then.low < one.contribution_then.median < one.contribution_then.high


def test_the_same_budget_changes_nothing(curves: Curves) -> None:
    found = what_if(curves, {})
    assert (found.change.low, found.change.high, found.chance) == (0, 0, 0)
    assert found.chance_to_pay is None


def test_more_of_a_saturated_channel_gains_but_does_not_pay(curves: Curves) -> None:
    more = what_if(curves, {"tv": 2.0})
    assert more.chance == 1.0
    assert more.chance_to_pay is not None
    less = what_if(curves, {"tv": 0.5})
    assert less.chance == 0.0
    shifted = what_if(curves, {"tv": 1.2, "search": 0.83})
    assert 0 < shifted.chance < 1
    assert shifted.spend_change == pytest.approx(115)


@pytest.mark.parametrize("factors", [{"tvv": 1.0}, {"tv": 2.1}, {"tv": -0.1}, {"tv": float("nan")}])
def test_a_budget_outside_the_curves_is_refused(curves: Curves, factors: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="allowed"):
        what_if(curves, factors)


def test_the_command_prints_both_forms(store: FolderStore) -> None:
    def mmm(*options: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["budget", "DE", "--bucket", str(store.root), *options])
        return done.exit_code, done.output

    code, text = mmm("--change", "tv=0.5", "--json")
    assert code == 0
    assert WhatIf.model_validate(json.loads(text)).spend_change == pytest.approx(-500)
    assert "chance of a gain below 1%" in mmm("--change", "tv=0.5")[1]
    assert mmm("--change", "tv")[0] == 64
    assert mmm("--change", "radio=1")[0] == 64


COMMENTED = f"# mine\n{WEEKLY.strip()}\n# last\ntraining: {{preset: test}}  # short\n"


def test_a_lift_test_is_added_and_every_other_line_stays() -> None:
    text = with_lift_tests(COMMENTED, [TEST])
    assert text.startswith(COMMENTED.rstrip())
    again = with_lift_tests(text, [{**TEST, "lift": 4.0}])
    assert again.startswith(COMMENTED.rstrip())
    assert [t.lift for t in load_config(again).config.calibration] == [9.0, 4.0]
    assert again.count("calibration:") == 1


@pytest.mark.parametrize(
    "block",
    [
        "calibration:\n- {channel: tv, start: 2025-01-06, end: 2025-02-02, lift: 1.0, spend: 1.0}\n",
        "calibration:\n  - channel: tv\n    start: 2025-01-06\n    end: 2025-02-02\n    lift: 1.0\n\n"
        "    spend: 1.0\n",
        "calibration: []  # none yet\n",
    ],
)
def test_a_block_in_the_middle_is_written_anew(block: str) -> None:
    text = f"# mine\n{WEEKLY.strip()}\n{block}# last\ntraining: {{preset: test}}  # short\n"
    new = with_lift_tests(text, [TEST])
    assert load_config(new).config.calibration[-1].lift == 9.0
    for line in ("# mine", "# last", "training: {preset: test}  # short"):
        assert line in new.splitlines()


def test_a_change_that_the_config_refuses_is_refused() -> None:
    with pytest.raises(ConfigError, match="channel"):
        with_lift_tests(WEEKLY, [{**TEST, "channel": "radio"}])


def test_a_total_budget_joins_the_scenarios_that_are_there() -> None:
    once = with_budget(COMMENTED, 1000.0)
    twice = with_budget(once, 2000.0)
    found = [one.total_budget for one in load_config(twice).config.outputs.allocator]
    before = [one.total_budget for one in load_config(COMMENTED).config.outputs.allocator]
    assert found == [*before, 1000.0, 2000.0]
