"""One mutation of each name, drawn by a fixed seed; `make mutations` runs a whole campaign."""

from __future__ import annotations

import pytest

from tests.faults.mutations import MUTATIONS, campaign


@pytest.mark.no_cover
def test_no_mutation_is_silent() -> None:
    results = list(campaign(len(MUTATIONS), seed=3))
    silent = [(name, kind, result) for name, kind, result in results if "SILENT" in result]
    assert silent == []
    assert {name for name, _, _ in results} == set(MUTATIONS)
