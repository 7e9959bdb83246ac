"""What the engine cannot do is refused before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract import layout
from contract.exceptions import ConfigError
from contract.run import State, read_status
from contract.training import Training
from job.engine import check_engine
from tests.runs import WEEKLY, Place

TRAINING = {"add_penalty_factor": True, "hyperparameters": {"TV_GRP_penalty": [0.2, 0.5]}}


def rscript(folder: Path, answer: str) -> str:
    """An R that has Robyn or not."""
    script = folder / f"Rscript-{answer}"
    script.write_text(f"#!/bin/sh\necho {answer}\n")
    script.chmod(0o755)
    return str(script)


def test_a_range_of_a_penalty_is_refused_where_auto_is_robyn(tmp_path: Path) -> None:
    training = Training.model_validate(TRAINING)
    check_engine(training, rscript=rscript(tmp_path, "builtin"), r_root=tmp_path)
    check_engine(Training(), rscript=rscript(tmp_path, "robyn"), r_root=tmp_path)
    with pytest.raises(
        ConfigError, match=r"`training.hyperparameters.TV_GRP_penalty`: Robyn takes"
    ):
        check_engine(training, rscript=rscript(tmp_path, "robyn"), r_root=tmp_path)


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
    assert "hyperparameters.TV_GRP_penalty`: Robyn takes no range of a penalty" in told
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
