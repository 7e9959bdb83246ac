"""What this machine needs to train a model: R and its packages, nevergrad, disk, memory, clock."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from contract import layout
from contract.exceptions import MMMError
from contract.lease import bucket_time
from contract.run import now
from contract.stores import Store
from job.runtime.machine import available_cores, memory_limit
from job.runtime.settings import RSide
from job.train.job_file import find_rscript
from job.train.process import r_environment

SETUP: Final = "run `make setup`"
LEAST_DISK_GIB, LEAST_GIB_PER_CORE, MOST_SECONDS_APART = 2.0, 1.0, 60.0
PATIENCE_SECONDS = 120.0

# One line for each fact: a name and a value, with a tab between. The picture is drawn, because R
# may have the device but no fonts.
_ASK_R: Final = """
source("library.R", chdir = TRUE)
say <- function(...) cat(..., sep = "\\t", fill = FALSE, "\\n")
say("R", as.character(getRversion()))
why <- package_problem()
say("problem", if (is.null(why)) "" else why)
for (name in c("glmnet", "prophet", "nloptr", "reticulate", "Robyn"))
  say(name, if (nzchar(system.file(package = name))) as.character(packageVersion(name)) else "")
file <- tempfile(fileext = ".png")
drawn <- tryCatch({ png(file); plot.new(); title("a"); dev.off(); file.size(file) > 0 },
  error = function(e) FALSE, warning = function(w) FALSE)
say("picture", if (isTRUE(drawn)) "drawn" else "")
"""


class Level(StrEnum):
    """Whether a check found what it needs."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class Check:
    """What one check found; `remedy` is None if there is nothing to do."""

    check: str
    level: Level
    message: str
    remedy: str | None = None


def examine_machine(store: Store) -> Iterator[Check]:
    """Yield one check after the other, the quick ones first; nothing is changed.

    Against a bucket in the cloud the clock is compared by writing the clock object of `reconcile`.
    """
    yield _ok("python", f"Python {platform.python_version()}, {available_cores()} cores")
    yield _disk(Path(tempfile.gettempdir()))
    yield _memory(memory_limit() or _physical_gib(), available_cores())
    yield check_clock(store)
    r_side = RSide.read()
    yield from _r(r_side)
    yield _nevergrad(r_side.nevergrad_python)


def _ok(check: str, message: str) -> Check:
    return Check(check=check, level=Level.OK, message=message)


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free / 2**30
    message = f"{free:.1f} GiB free in {folder}"
    if free >= LEAST_DISK_GIB:
        return _ok("disk", message)
    return Check(
        check="disk",
        level=Level.WARN,
        message=message,
        remedy=f"free {LEAST_DISK_GIB:g} GiB, or set TMPDIR to a folder that has them",
    )


def _memory(gib: float, cores: int) -> Check:
    message = f"{gib:.1f} GiB for {cores} cores"
    if gib >= LEAST_GIB_PER_CORE * cores:
        return _ok("memory", message)
    return Check(
        check="memory",
        level=Level.WARN,
        message=message,
        remedy=f"set `training.cores` to {max(int(gib / LEAST_GIB_PER_CORE), 1)}: each trial needs "
        f"up to {LEAST_GIB_PER_CORE:g} GiB",
    )


def _physical_gib() -> float:
    text = Path("/proc/meminfo").read_text()
    return int(text.partition("MemTotal:")[2].split()[0]) / 2**20


def check_clock(store: Store) -> Check:
    """Compare this machine's clock with the bucket's; a folder has the machine's."""
    if store.url.startswith("file://"):
        return _ok("clock", f"{now():%Y-%m-%d %H:%M:%S} UTC")
    try:
        apart = (now() - bucket_time(store, layout.reconcile_clock())).total_seconds()
    except MMMError as error:
        return Check(
            check="clock",
            level=Level.WARN,
            message=f"not compared with the bucket's: {error.message}",
            remedy="use an account that may write to the bucket",
        )
    message = f"{abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} the bucket's"
    if abs(apart) <= MOST_SECONDS_APART:
        return _ok("clock", message)
    return Check(
        check="clock",
        level=Level.FAIL,
        message=message,
        remedy="set the clock, e.g. `timedatectl set-ntp true`; Google refuses signed requests of "
        "a wrong clock",
    )


def _r(r_side: RSide) -> Iterator[Check]:
    program = find_rscript(r_side.rscript)
    if program is None:
        yield Check(
            check="R",
            level=Level.FAIL,
            message=f"`{r_side.rscript}` is not installed",
            remedy=f"{SETUP}, or set MMM_RSCRIPT to the path of Rscript",
        )
        return
    try:
        answer = subprocess.run(  # noqa: S603  our own script, no shell
            [program, "--vanilla", "-e", _ASK_R],
            cwd=r_side.r_root,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
            env=r_environment(Path(tempfile.gettempdir())),
        )
    except subprocess.TimeoutExpired:
        message = f"`{program}` did not answer within {PATIENCE_SECONDS:.0f} s"
        yield Check(check="R", level=Level.FAIL, message=message, remedy=f"start `{program}`")
        return
    lines = (line.partition("\t") for line in answer.stdout.splitlines())
    facts = {name: value.strip() for name, _, value in lines}
    if answer.returncode or "picture" not in facts:
        said = (answer.stderr.strip().splitlines() or ["nothing"])[-1]
        yield Check(check="R", level=Level.FAIL, message=f"R says: {said}", remedy=SETUP)
        return
    yield from _packages(facts)


def _packages(facts: dict[str, str]) -> Iterator[Check]:
    yield _ok("R", f"R {facts['R']}")
    for name in ("glmnet", "prophet", "nloptr"):
        if facts[name]:
            yield _ok(name, facts[name])
        else:
            yield Check(check=name, level=Level.FAIL, message="is not installed", remedy=SETUP)
    if facts["problem"]:
        problem, _, _ = facts["problem"].partition(";")
        yield Check(check="mmmtrainer", level=Level.FAIL, message=problem, remedy=SETUP)
    else:
        yield _ok("mmmtrainer", "the R package of this version")
    if facts["Robyn"]:
        yield _ok("Robyn", facts["Robyn"])
    else:
        yield Check(
            check="Robyn",
            level=Level.WARN,
            message="is not installed, so `engine: auto` is the builtin engine",
            remedy="`scripts/setup-robyn.sh` installs it if you want Robyn's own outputs",
        )
    if facts["picture"]:
        yield _ok("pictures", "R draws PNG files")
    else:
        yield Check(
            check="pictures",
            level=Level.WARN,
            message="R cannot draw a PNG file, so runs have no one-pagers",
            remedy="install R with cairo and a font, e.g. `apt-get install fonts-dejavu-core`",
        )


def _nevergrad(python: Path) -> Check:
    code = "from importlib.metadata import version; print(version('nevergrad'))"
    remedy = f"{SETUP}, or set RETICULATE_PYTHON to an interpreter that has nevergrad"
    try:
        answer = subprocess.run(  # noqa: S603  no shell
            [python, "-c", code], capture_output=True, text=True, check=False, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"`{python}` cannot be started: {error}"
        return Check(check="nevergrad", level=Level.FAIL, message=message, remedy=remedy)
    if answer.returncode:
        message = f"`{python}` has no nevergrad"
        return Check(check="nevergrad", level=Level.FAIL, message=message, remedy=remedy)
    return _ok("nevergrad", answer.stdout.strip())
