"""Which engine `auto` stands for here."""

from __future__ import annotations

import subprocess
from functools import cache

from contract.training import Engine
from job.r_job import find_rscript

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
