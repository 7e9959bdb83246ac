"""Find which engine `auto` selects here, and check that it can run the config."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from tempfile import gettempdir

from contract.exceptions import ConfigError
from contract.training import ROBYNS_OWN_PENALTIES, Engine, Training
from job.train.job_file import find_rscript
from job.train.process import r_environment


@cache
def engine_here(engine: Engine, *, rscript: str, r_root: Path) -> str:
    """Return `robyn` or `builtin`; for `auto`, ask R which one it selects."""
    if engine is not Engine.AUTO:
        return engine.value
    program = find_rscript(rscript)
    if program is None:
        return Engine.BUILTIN.value
    answer = subprocess.run(  # noqa: S603  our own script, no shell
        [program, "--vanilla", str(r_root / "run_all.R"), "--engine"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=r_environment(Path(gettempdir())),
    )
    robyn = answer.stdout.strip() == Engine.ROBYN.value
    return (Engine.ROBYN if robyn else Engine.BUILTIN).value


def check_engine(training: Training, *, rscript: str, r_root: Path) -> None:
    """Check what the config alone cannot decide, because `auto` depends on the installation.

    Raises:
        ConfigError: `auto` selects Robyn here, and Robyn does not accept ranges of penalties.
    """
    given = training.penalty_ranges
    engine = engine_here(training.engine, rscript=rscript, r_root=r_root) if given else None
    if given and engine == Engine.ROBYN.value:
        raise ConfigError(
            f"`training.hyperparameters.{given[0]}`: {ROBYNS_OWN_PENALTIES} "
            "(`training.engine` is auto, and Robyn is installed here)"
        )
