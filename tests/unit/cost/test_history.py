"""What past runs teach, and how a run over its limits is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contract import layout
from contract.config import Limits
from contract.exceptions import LimitError
from contract.stores.folder import FolderStore
from job.cost import limits
from job.cost.estimate import make_estimate
from job.cost.history import RUNS, History, read_history
from job.cost.model import predict
from tests.unit.cost.test_model import MACHINE, work


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def put(
    store: FolderStore,
    number: int,
    ratio: float,
    *,
    market: str = "DE",
    revision: str = "r1",
    resumed: bool = False,
    **sizes: Any,
) -> None:
    """Write a finished run that took `ratio` times the predicted seconds."""
    done = work(**{"sweeps": 5000} | sizes)
    seconds = {part: value * ratio for part, value in predict(done).items()}
    manifest = {
        "cost": {
            "estimate": {"work": done.model_dump()},
            "actual": {"parts": seconds, "resumed": resumed},
        }
    }
    run_id = f"202601{number:02d}T020000Z-1a2b3c4d"
    store.write(layout.manifest(revision, market, run_id), json.dumps(manifest).encode())


def read(store: FolderStore, engine: str = "builtin") -> History:
    return read_history(store, market="DE", revision="r1", engine=engine)


def test_no_past_run(store: FolderStore) -> None:
    assert read(store) == History()
    assert str(read(store)) == "no past runs"


def test_the_last_runs_of_the_market_are_used(store: FolderStore) -> None:
    for number, ratio in enumerate([0.5, 0.5, 0.5, 2.0, 2.0, 2.2, 9.0, 2.0], 1):
        put(store, number, ratio, rows=100 + number)
    put(store, 9, 4.0, market="FR")
    found = read(store)
    assert found.runs == RUNS
    assert found.rows == 108
    assert found.ratios == pytest.approx(dict.fromkeys(found.ratios, 2.0), abs=0.001)
    assert str(found) == "5 past runs of DE (r1)"


def test_a_posterior_beside_other_parts_teaches_nothing(store: FolderStore) -> None:
    put(store, 1, 2.0, sweeps=60)
    assert read(store).ratios["posterior"] == 1.0


def test_runs_that_are_ignored(store: FolderStore) -> None:
    put(store, 1, 2.0, resumed=True)
    put(store, 2, 3.0, engine="robyn", rows=55)
    put(store, 3, 3.0, revision="r2", market="FR", engine="robyn")
    store.write(layout.manifest("r1", "DE", "20260104T020000Z-1a2b3c4d"), b"{}")
    store.write(layout.artifacts("r1", "DE", "20260105T020000Z-1a2b3c4d", "report.html"), b"")
    assert read(store) == History(rows=55)


def test_other_markets_replace_missing_runs_of_the_market(store: FolderStore) -> None:
    put(store, 1, 3.0, market="FR")
    put(store, 1, 3.0, market="DE", revision="r0")
    found = read(store)
    assert (found.runs, found.origin, found.rows) == (2, "other markets", None)
    assert found.ratios["trials"] == pytest.approx(3.0, abs=0.001)


def test_ratios_are_bounded(store: FolderStore) -> None:
    put(store, 1, 500.0)
    assert set(read(store).ratios.values()) == {5.0}


def test_limits() -> None:
    estimate = make_estimate(work(), MACHINE, History(), rows_from="the date window")
    limits.require(Limits(), estimate)
    limits.require(Limits(max_minutes=1000, max_cost=1000), estimate)
    with pytest.raises(LimitError) as caught:
        limits.require(Limits(max_minutes=0.01, max_cost=0.0001), estimate)
    assert caught.value.exit_code == 64
    assert caught.value.step == "limits"
    minutes, cost = caught.value.problems
    assert minutes.startswith("`limits.max_minutes` is 0.01, but the run is estimated at ")
    assert "208 rows (the date window), no past runs" in minutes
    assert cost.startswith("`limits.max_cost` is 0.0001 USD, but the run is estimated at 0.00")
    assert "4 vCPU, 8 GiB, europe-west1" in cost
