"""Which engine `auto` stands for here, and whether it can do what the config asks for."""

from __future__ import annotations

import subprocess
from functools import cache

from contract.exceptions import ConfigError
from contract.training import ROBYNS_OWN_PENALTIES, Engine, Training
from job.train.job_file import find_rscript

_ASK = "cat(nzchar(system.file(package = 'Robyn')))"


@cache
def engine_here(engine: Engine, *, rscript: str) -> str:
    """`robyn` or `builtin`: what `r/lib/engines.R` will take for `auto`, R itself is asked."""
    if engine is not Engine.AUTO:
        return engine.value
    program = find_rscript(rscript)
    if program is None:
        return Engine.BUILTIN.value
    answer = subprocess.run(  # noqa: S603  our own words, no shell
        [program, "--vanilla", "-e", _ASK], capture_output=True, text=True, check=False, timeout=60
    )
    return (Engine.ROBYN if answer.stdout.strip() == "TRUE" else Engine.BUILTIN).value


def check_engine(training: Training, *, rscript: str) -> None:
    """Refuse, before anything is read, what the config's own check must let through for `auto`.

    Raises:
        ConfigError: `auto` is Robyn here, and Robyn takes no ranges of penalties.
    """
    given = training.penalty_ranges
    if given and engine_here(training.engine, rscript=rscript) == Engine.ROBYN.value:
        raise ConfigError(
            f"`training.hyperparameters.{given[0]}`: {ROBYNS_OWN_PENALTIES} "
            "(`training.engine` is auto, and Robyn is installed here)"
        )
