"""Random series that simulated markets are made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from examples.simulate import adstock

Array = npt.NDArray[np.float64]
Random = np.random.Generator
WEEKS_A_YEAR = 52.18


def wander(random: Random, periods: int, spread: float, memory: float) -> Array:
    """Return an AR(1) series around zero with the given standard deviation."""
    return adstock(random.normal(0, spread * np.sqrt(1 - memory**2), periods), memory)
