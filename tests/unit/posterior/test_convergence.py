"""R-hat and the number of effective draws, on series whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from job.posterior.convergence import effective_draws, r_hat
from job.posterior.market import Array


def series(autocorrelation: float, *, draws: int = 2000, chains: int = 8) -> Array:
    """Return stationary AR(1) series, of shape (draws, chains, 1)."""
    random = np.random.default_rng(1)
    out = np.empty((draws, chains, 1))
    out[0] = random.standard_normal((chains, 1))
    for number in range(1, draws):
        fresh = random.standard_normal((chains, 1)) * np.sqrt(1 - autocorrelation**2)
        out[number] = autocorrelation * out[number - 1] + fresh
    return out


@pytest.mark.parametrize("autocorrelation", [0.0, 0.5, 0.9])
def test_effective_draws_are_those_of_theory(autocorrelation: float) -> None:
    values = series(autocorrelation)
    expected = values.size * (1 - autocorrelation) / (1 + autocorrelation)
    assert effective_draws(values)[0] == pytest.approx(expected, rel=0.15)


def test_chains_that_agree() -> None:
    assert r_hat(series(0.5))[0] < 1.01


def test_chains_at_different_places() -> None:
    values = series(0.0)
    values[:, 0] += 3
    assert r_hat(values)[0] > 1.1
    assert effective_draws(values)[0] < 100


def test_chains_of_different_spread() -> None:
    values = series(0.0)
    values[:, :4] *= 5
    assert r_hat(values)[0] > 1.1


def test_only_ranks_count() -> None:
    values = series(0.5)
    assert r_hat(np.exp(5 * values)) == pytest.approx(r_hat(values))


def test_a_channel_that_often_has_no_effect() -> None:
    values = np.maximum(series(0.5), 0)
    assert r_hat(values)[0] < 1.02
    assert effective_draws(values)[0] > 2000
