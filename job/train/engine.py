"""Find which engine `auto` selects here, and check that it can run the config."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from tempfile import gettempdir

from contract.config import Config
from contract.exceptions import ConfigError
from contract.hyperparameters import ROBYN_REFUSES_PENALTIES
from contract.training import ROBYN_NEEDS_PROPHET, Engine, Search
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


def check_engine(config: Config, *, rscript: str, r_root: Path) -> None:
    """Check the settings whose validity depends on the engine that `auto` selects.

    Raises:
        ConfigError: one sentence per setting that the engine refuses.
    """
    training = config.training
    penalties, factors = training.penalty_ranges, bool(config.factors or config.annotations)
    robyns_search = training.search is Search.ROBYN
    if not (penalties or robyns_search or (factors and not training.prophet)):
        return
    problems = []
    if engine_here(training.engine, rscript=rscript, r_root=r_root) == Engine.BUILTIN.value:
        if robyns_search:
            problems.append(
                "`training.search` is robyn; allowed: fast, because Robyn is not installed here "
                "and `training.engine` is auto"
            )
    else:
        problems += [
            f"`training.hyperparameters.{name}` is refused: {ROBYN_REFUSES_PENALTIES} "
            "(`training.engine` is auto, and Robyn is installed here)"
            for name in penalties[:1]
        ]
        if factors and not training.prophet:
            problems.append(f"`training.prophet` is empty; {ROBYN_NEEDS_PROPHET}")
        cores = os.cpu_count() or 1
        if robyns_search and training.workers > cores:
            problems.append(
                f"`training.workers` is {training.workers}; allowed with `search: robyn`: at most "
                f"{cores}, the cores of this machine"
            )
    if problems:
        raise ConfigError(problems)
