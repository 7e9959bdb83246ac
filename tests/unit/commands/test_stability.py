"""`mmm stability`: runs are compared as nightly runs are, and tolerances let 98% of them pass."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contract.limits import Promotion
from mmm.stability import changes_of, ends_of, tolerance, walk
from tests.fakes.terminal import Terminal
from tests.runs import ROOT


def metrics(roas: float, width: float = 0.0) -> dict[str, Any]:
    """Return the posterior of a run with one channel."""
    span = {"median": roas, "low": roas - width, "high": roas + width}
    share = {"median": roas / 10, "low": roas / 10 - width, "high": roas / 10 + width}
    return {"posterior": {"channels": [{"name": "tv", "roas": span, "share": share}]}}


def test_a_held_run_is_not_what_the_next_one_is_compared_with() -> None:
    steps = list(walk([metrics(r) for r in (2.0, 4.0, 2.1)], Promotion(), measure="ROAS"))
    assert [bool(step.reasons) for step in steps] == [True, False]
    assert "ROAS of `tv` is 4.00 and was 2.00" in steps[0].reasons[0]
    assert changes_of(steps[1]) == {"tv": pytest.approx(0.05)}


def test_a_change_within_the_interval_is_none() -> None:
    steps = list(walk([metrics(2.0, 3.0), metrics(4.0, 3.0)], Promotion(), measure="ROAS"))
    assert steps[0].reasons == []
    assert changes_of(steps[0]) == {"tv": pytest.approx(1.0)}


def test_a_change_is_the_same_up_and_down() -> None:
    free = Promotion(max_roas_change=None, max_share_change=None)
    up, down = walk([metrics(r) for r in (2.0, 3.0, 2.0)], free, measure="ROAS")
    assert changes_of(up) == changes_of(down)


@pytest.mark.parametrize(
    ("changes", "proposed"),
    [([], 0.1), ([0.01] * 50, 0.1), ([0.31], 0.35), ([0.3], 0.35), ([0.01] * 199 + [5.0], 0.1)],
)
def test_a_tolerance_lets_most_changes_pass(changes: list[float], proposed: float) -> None:
    assert tolerance(changes) == proposed


POOL = """
import time
from mmm.stability import _in_parallel

def work(number):
    if number:
        time.sleep(60)
    return number

if __name__ == "__main__":
    with _in_parallel(work, [0, 1, 2, 3], 2) as results:
        for result in results:
            print("done", result, flush=True)
"""


def test_ctrl_c_ends_all_processes_and_prints_nothing_of_theirs(tmp_path: Path) -> None:
    script = tmp_path / "pool.py"  # from Python 3.14 on, processes import it
    script.write_text(POOL)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    terminal = Terminal([sys.executable, str(script)], cwd=ROOT, env=env)
    terminal.read_until("done 0")
    began = time.monotonic()
    terminal.type("\x03")
    terminal.finish()
    assert time.monotonic() - began < 20
    text = "\n".join(terminal.lines())
    assert text.count("Traceback") == 1  # this program's own
    assert text.rstrip().endswith("KeyboardInterrupt")


def test_the_data_end_at_each_of_the_last_periods_but_never_too_early() -> None:
    market: Any = SimpleNamespace(periods=100)
    assert ends_of(market, 3) == [97, 98, 99, 100]
    short: Any = SimpleNamespace(periods=28)
    assert ends_of(short, 26) == [26, 27, 28]
