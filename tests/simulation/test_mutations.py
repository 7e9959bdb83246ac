"""The simulation can fail: it finds faults that the project once had, when they are put back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.mutations import MUTATIONS, Mutation, first_broken
from tests.simulation.play import simulation

MOST = 200  # seeds, if the known one finds it no longer
pytestmark = pytest.mark.no_cover


@pytest.fixture(scope="module", autouse=True)
def simulated() -> Iterator[None]:
    with simulation():
        yield


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_a_fault_that_is_put_back_is_found(mutation: Mutation) -> None:
    assert first_broken(mutation, MOST) is not None
