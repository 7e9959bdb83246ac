"""The methods that the bench compares, each run as a process whose time and memory are measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.truth.answer import FIRST_DAY
from bench.truth.score import PERCENTILES
from bench.truth.worlds import World, make_world
from job.cost.prices import load_prices

ROOT = Path(__file__).parents[2]
PACKAGES = Path(__file__).parent / "packages"
_REGION, _VCPUS, _GIB = "europe-west1", 2, 4  # of the price


@dataclass(frozen=True)
class Method:
    """A method.

    Attributes:
        title: its name in the tables.
        script: of a package, in `packages/`; None for a method of this project.
        options: further arguments of the script.
        environment: the folder of the package's virtual environment, in the repository.
    """

    title: str
    script: str | None = None
    options: tuple[str, ...] = ()
    environment: str = ""

    @property
    def python(self) -> Path:
        """Return the interpreter that has the package."""
        return ROOT / self.environment / "bin" / "python" if self.script else Path(sys.executable)


METHODS = {
    "posterior": Method("MMM Trainer, posterior"),
    "chosen": Method("Robyn's chosen model"),
    "pymc": Method("PyMC-Marketing", "with_pymc.py", (), ".venv-pymc"),
    "meridian": Method("Meridian", "with_meridian.py", (), ".venv-meridian"),
    "meridian-knots": Method("Meridian, knots", "with_meridian.py", ("--knots",), ".venv-meridian"),
}


def ask(name: str, world_name: str, seed: int) -> dict[str, Any]:
    """Return a method's answer for a market, with `cpu_seconds`, `memory_gb` and `cents`.

    Raises:
        RuntimeError: the process fails; the message has the end of what it wrote.
    """
    method = METHODS[name]
    with tempfile.TemporaryDirectory(prefix="bench-truth-") as folder:
        if method.script is None:
            out = Path(folder) / "answer.json"
            measured = measure(
                [method.python, "-m", "bench.truth.answer", name, world_name, seed, out], folder
            )
            return {**json.loads(out.read_text()), **measured}
        market, out = Path(folder) / "market.npz", Path(folder) / "roas.npy"
        _save(make_world(world_name, seed), seed, market)
        command = [method.python, PACKAGES / method.script, market, out, *method.options]
        measured = measure(command, folder)
        return {"percentiles": np.percentile(np.load(out), PERCENTILES, axis=0).tolist()} | measured


def _save(world: World, seed: int, path: Path) -> None:
    """Write a market for a package."""
    data = world.data
    step = 1 if data.weekday is not None else 7
    np.savez(
        path,
        target=data.target,
        exposure=data.exposure[:, -data.periods :],
        spend=data.spend,
        baseline=data.baseline,
        dates=FIRST_DAY + np.arange(data.periods) * step,
        seed=seed,
    )


def measure(command: Sequence[object], folder: str | Path) -> dict[str, float]:
    """Run a command; return its CPU seconds, with those of its children, memory and price."""
    log = Path(folder) / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [str(part) for part in command], stdout=file, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[1]} failed ({process.returncode}): {log.read_text()[-2000:]}")
    seconds = used.ru_utime + used.ru_stime
    rate = load_prices().rate(_REGION)
    price = seconds / _VCPUS * (_VCPUS * rate.vcpu_second + _GIB * rate.gib_second)
    return {
        "cpu_seconds": round(seconds, 1),
        "memory_gb": round(used.ru_maxrss / 2**20, 2),
        "cents": round(100 * price, 4),
    }
