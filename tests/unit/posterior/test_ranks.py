"""Markets drawn from the prior: the ranks of their true ROAS are uniform."""

from __future__ import annotations

import numpy as np
import pytest

from bench.truth.ranks import chi_square, ranks_of, tenths
from job.posterior.market import Array


@pytest.fixture(scope="module")
def ranks() -> Array:
    return np.array([ranks_of(seed, periods=48, media=2, sweeps=100) for seed in range(14)]).ravel()


def test_ranks_are_uniform(ranks: Array) -> None:
    assert len(ranks) == 28
    # The mean of 28 uniform numbers is within three standard deviations of one half.
    assert ranks.mean() == pytest.approx(0.5, abs=3 * np.sqrt(1 / 12 / 28))
    assert chi_square(tenths(ranks)) < 27.9  # exceeded once in a thousand


def test_ranks_of_a_wrong_model_are_not(ranks: Array) -> None:
    assert chi_square(tenths(ranks**4)) > 27.9  # as if the draws were far too large
