"""A short simulation; `make simulate N=100000 SEED=1` plays a long one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.play import play, simulation

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(1, 13)
pytestmark = pytest.mark.no_cover  # measuring would take most of the time


@pytest.fixture(scope="module", autouse=True)
def simulated() -> Iterator[None]:
    with simulation():
        yield


@pytest.mark.parametrize("seed", SEEDS)
def test_all_is_well_after_faults(seed: int) -> None:
    assert play(seed).problems == []


def test_a_seed_is_played_again_exactly() -> None:
    first = [play(seed) for seed in (3, 7)]
    assert all(one.faults for one in first)
    assert [play(seed).digest for seed in (3, 7)] == [one.digest for one in first]
    script = "from tests.simulation.play import play, simulation\nwith simulation(): print(play(3).digest)"
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={"PYTHONHASHSEED": "9", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == first[0].digest


def test_seeds_differ() -> None:
    assert play(1).digest != play(2).digest
