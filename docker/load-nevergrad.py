"""Let each optimiser of the config work, and remove what none loads from nevergrad's packages.

A test compares the names with those that a config may have.
"""

from __future__ import annotations

import sys
import sysconfig
import warnings
from pathlib import Path

import nevergrad

OPTIMISERS = (
    "TwoPointsDE", "DE", "AlmostRotationInvariantDE", "AlmostRotationInvariantDEAndBigPop",
    "BPRotationInvariantDE", "DiscreteDE", "HSDE", "LPSDE", "LQODE", "LQOTPDE", "LhsDE",
    "LhsHSDE", "MiniDE", "MiniLhsDE", "MiniQrDE", "NoisyDE", "OnePointDE", "ParametrizationDE",
    "QODE", "QOTPDE", "QrDE", "RotatedTwoPointsDE", "RotationInvariantDE", "SODE", "SPQODE",
    "VoronoiDE",
)  # fmt: skip
PACKAGES = ("cma", "nevergrad", "scipy", "sklearn")
DIMENSION, MODELS = 20, 300


def work(name: str) -> None:
    """Ask for models and tell three errors of each, as the search does."""
    box = nevergrad.p.Array(shape=(DIMENSION,), lower=0, upper=1)
    optimiser = nevergrad.optimizers.registry[name](box, budget=MODELS, num_workers=1)
    optimiser.tell(nevergrad.p.MultiobjectiveReference(), (1.0, 1.0, 1.0))
    optimiser.set_objective_weights((1.0, 1.0, 1.0))
    for _ in range(MODELS):
        asked = optimiser.ask()
        value = asked.value
        optimiser.tell(asked, (float(value.mean()), float(value.max()), float(value[0])))


def loaded() -> set[Path]:
    """Return the files of all modules that are loaded."""
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    return {Path(file).resolve() for file in files if file}


def main() -> None:
    """Work, then remove."""
    warnings.simplefilter("ignore")
    for name in OPTIMISERS:
        work(name)
    kept = loaded()
    for package in PACKAGES:
        for file in (Path(sysconfig.get_paths()["purelib"]) / package).rglob("*"):
            if file.suffix in (".py", ".so") and file.resolve() not in kept:
                file.unlink()


if __name__ == "__main__":
    main()
