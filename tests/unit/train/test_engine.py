"""What the engine cannot do is refused before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.exceptions import ConfigError
from contract.training import Training
from job.train.engine import check_engine

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
