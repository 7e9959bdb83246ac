"""The density that the chains use is the one that the model defines, and steps keep it right."""

from __future__ import annotations

import numpy as np
import pytest

from job.posterior.baseline import AUTOCORRELATIONS, Projection, make_baseline
from job.posterior.chains import Chains
from job.posterior.media import make_media
from job.posterior.memory import Memory
from job.posterior.priors import Priors
from job.posterior.steps import History, sweep
from tests.unit.posterior.markets import make_market


def make_chains(seed: int = 3, chains: int = 4) -> Chains:
    market, priors = make_market(), Priors()
    projection = Projection(make_baseline(market, priors))
    return Chains(
        market, make_media(market), projection, priors,
        chains=chains, random=np.random.default_rng(seed),
    )  # fmt: skip


def log_density(chains: Chains, chain: int) -> float:
    """Return the likelihood with an explicit covariance of level, baseline and noise.

    The level's variance is large instead of infinite, and the noise level is integrated out.
    """
    market = chains.market
    baseline = make_baseline(market, chains.priors)
    phi = AUTOCORRELATIONS[chains.state.phi[chain]]
    lags = np.abs(np.subtract.outer(np.arange(market.periods), np.arange(market.periods)))
    deviations = baseline.deviations[chains.state.phi[chain]].copy()
    deviations[0] = 1e4
    covariance = phi**lags / (1 - phi**2) + (baseline.columns * deviations**2) @ baseline.columns.T
    shares = chains.shares()[chain]
    columns = [chains.column(medium)[chain] for medium in range(market.media)]
    residual = market.target - shares @ np.array(columns)
    squares = residual @ np.linalg.solve(covariance, residual)
    # One degree of freedom belongs to the level.
    freedom = market.periods - 1
    return float(-0.5 * np.linalg.slogdet(covariance)[1] - 0.5 * freedom * np.log(squares))


def test_the_integrated_likelihood_is_that_of_an_explicit_covariance() -> None:
    chains = make_chains()
    chains.state.phi[:] = [0, 3, 5, 9]
    chains = _settled(chains)
    used = (
        chains.likelihood(chains.squares, chains.predicted)
        + chains.projection.weight[chains.state.phi]
    )
    explicit = np.array([log_density(chains, chain) for chain in range(chains.chains)])
    assert np.ptp(used - explicit) == pytest.approx(0, abs=2e-3)


def _settled(chains: Chains) -> Chains:
    """Bring responses and residual up to date after a change of the autocorrelation."""
    chains._basis = chains.projection.basis[chains.state.phi]
    chains.response, chains.inside = chains._project(chains._raw, chains.state.phi, chains._basis)
    chains.settle()
    return chains


def test_steps_keep_residual_and_responses_up_to_date() -> None:
    chains = make_chains()
    history, memory = History(chains), Memory(chains)
    for number in range(30):
        sweep(chains, history, memory, number)
        history.add(chains)
    squares, residual = chains.squares.copy(), chains.residual.copy()
    for medium in range(chains.market.media):
        chains._raw[:, medium] = chains.column(medium)
    _settled(chains)
    assert squares == pytest.approx(chains.squares)
    assert residual == pytest.approx(chains.residual, abs=1e-6)


def test_parameters_stay_in_their_ranges_and_paid_media_below_the_target() -> None:
    chains = make_chains(seed=5)
    history, memory = History(chains), Memory(chains)
    for number in range(60):
        sweep(chains, history, memory, number)
    low, high = chains.media.low, chains.media.high
    assert (chains.state.parameters >= low).all()
    assert (chains.state.parameters <= high).all()
    assert (chains.shares()[:, : chains.market.paid].sum(1) < 0.9).all()
