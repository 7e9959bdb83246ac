"""What the engine cannot do is refused before anything is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from contract.exceptions import ConfigError
from contract.loading import load_config
from job.train.engine import check_engine
from tests.bad_configs import EXAMPLE, changed

TRAINING = {"add_penalty_factor": True, "hyperparameters": {"TV_GRP_penalty": [0.2, 0.5]}}


def rscript(folder: Path, answer: str) -> str:
    """An R that has Robyn or not."""
    script = folder / f"Rscript-{answer}"
    script.write_text(f"#!/bin/sh\necho {answer}\n")
    script.chmod(0o755)
    return str(script)


def test_a_range_of_a_penalty_is_refused_where_auto_is_robyn(tmp_path: Path) -> None:
    config = load_config(changed({"training": TRAINING})).config
    plain = load_config(EXAMPLE).config
    check_engine(config, rscript=rscript(tmp_path, "builtin"), r_root=tmp_path)
    check_engine(plain, rscript=rscript(tmp_path, "robyn"), r_root=tmp_path)
    said = r"`training.hyperparameters.TV_GRP_penalty` is refused: Robyn does not take the range"
    with pytest.raises(ConfigError, match=said):
        check_engine(config, rscript=rscript(tmp_path, "robyn"), r_root=tmp_path)


@pytest.mark.parametrize(
    ("changes", "engine", "said"),
    [
        ({"training.search": "robyn"}, "builtin",
         "`training.search` is robyn; allowed: fast, because Robyn is not installed here"),
        ({"training.search": "robyn", "training.workers": 64}, "robyn",
         "`training.workers` is 64; allowed with `search: robyn`: at most"),
        ({"training.prophet": []}, "robyn",
         "`training.prophet` is empty; with engine robyn, `factors` and `annotations` need"),
    ],
)  # fmt: skip
def test_what_auto_cannot_do_here_is_refused(
    changes: dict[str, Any], engine: str, said: str, tmp_path: Path
) -> None:
    config = load_config(changed(changes)).config
    with pytest.raises(ConfigError, match=re.escape(said)):
        check_engine(config, rscript=rscript(tmp_path, engine), r_root=tmp_path)
    possible = load_config(changed(changes | {"training.search": "fast", "factors": []})).config
    check_engine(possible, rscript=rscript(tmp_path, engine), r_root=tmp_path)
