"""What the engine cannot do is refused before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract import layout
from contract.run import State, read_status
from tests.runs import WEEKLY, Place
from tests.unit.train.test_engine import rscript


@pytest.mark.parametrize("engine", ["auto", "robyn"])
def test_it_is_refused_before_the_extract(tmp_path: Path, engine: str) -> None:
    training = (
        f"training: {{engine: {engine}, add_penalty_factor: true, "
        "hyperparameters: {TV_GRP_penalty: [0.2, 0.5]}}"
    )
    place = Place(tmp_path, f"{WEEKLY}{training}\n".replace("de_weekly.csv", "no_such_file.csv"))
    code, lines = place.run("nightly", MMM_RSCRIPT=rscript(tmp_path, "robyn"))
    assert code == 64, lines[-3:]
    told = " ".join(line["message"] for line in lines)
    assert "hyperparameters.TV_GRP_penalty` is refused: Robyn takes no range of a penalty" in told
    assert "no_such_file" not in told
    (event,) = place.events()
    if engine == "robyn":  # known from the config alone: there is no run
        assert event["type"] == "mmm.run.rejected"
        return
    (run_id,) = place.run_ids()
    status = read_status(place.store, run_id)
    assert status is not None
    assert (status.state, event["data"]["error"]["code"]) == (State.FAILED, 64)
    assert place.store.stat(layout.work(run_id, "snapshot.parquet")) is None
