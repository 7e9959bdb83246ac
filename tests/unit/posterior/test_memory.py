"""Shapes that are proposed near earlier ones have the density that the steps correct for."""

from __future__ import annotations

import numpy as np
import pytest

from job.posterior.chains import Chains
from job.posterior.memory import Memory
from tests.unit.posterior.markets import make_market
from tests.unit.posterior.test_lift import make_chains


def learned(chains: Chains) -> Memory:
    """Return a memory of shapes in one corner of their ranges, with a delay of 1."""
    memory, media = Memory(chains), chains.media
    for _ in range(60):
        corner = 0.2 * chains.random.random(chains.state.parameters.shape)
        chains.state.parameters[:] = media.low + corner * (media.high - media.low)
        chains.state.delay[:] = 1
        memory.add(chains)
    memory.learn(chains)
    return memory


@pytest.mark.parametrize("ranges", [{}, {"m0": {"alpha": (1.5, 1.5)}}], ids=["free", "one fixed"])
def test_the_density_is_that_of_the_proposals(
    ranges: dict[str, dict[str, tuple[float, float]]],
) -> None:
    chains = make_chains(make_market(ranges=ranges))
    memory = learned(chains)
    weights = []
    for _ in range(400):
        proposed = memory.draw(chains, 0)
        weights.append(np.exp(-memory.excess(0, *proposed)))
    # The mean of the prior's density over that of the proposals is 1, whatever was learned.
    assert np.mean(weights) == pytest.approx(1, abs=0.1)
    assert np.mean(memory.excess(0, *memory.draw(chains, 0))) > 1


def test_before_anything_is_learned_the_prior_proposes() -> None:
    chains = make_chains(make_market())
    memory = Memory(chains)
    assert np.all(memory.excess(0, *memory.draw(chains, 0)) == 0)


def test_a_medium_without_effect_teaches_nothing() -> None:
    chains = make_chains(make_market())
    memory = Memory(chains)
    chains.state.on[:, 0] = False
    for _ in range(60):
        memory.add(chains)
    memory.learn(chains)
    assert np.all(memory.excess(0, *memory.draw(chains, 0)) == 0)
    assert np.any(memory.excess(1, *memory.draw(chains, 1)) != 0)
