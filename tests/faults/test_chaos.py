"""Fifty seeds of chaos over the real clients; `make chaos RUNS=500 SEED=1` plays more."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.faults import chaos
from trigger import launch


@pytest.fixture(scope="module")
def on() -> Iterator[chaos.Ground]:
    if reason := chaos.gcs.missing():
        pytest.skip(reason)
    with chaos.ground() as made:
        yield made


@pytest.mark.parametrize("seed", range(1, 51))
def test_the_run_ends_once_whatever_breaks(
    on: chaos.Ground, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMM_PROJECT", "p")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", on.storage.url)
    monkeypatch.setattr(launch, "CLAIM", timedelta(seconds=90))
    # The clients of a seed are thrown away with the connections that were cut under them.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        chaos.one(seed, on)
        gc.collect()
