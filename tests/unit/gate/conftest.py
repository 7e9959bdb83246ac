"""A sound weekly table, and a run of the gate over what a test makes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from contract.loading import load_config
from job.gate import Outcome, Verdict, check
from job.sources import extract

TODAY = date(2024, 1, 10)


@pytest.fixture
def weekly() -> pd.DataFrame:
    """160 Mondays up to 2024-01-01, nothing wrong with them."""
    random = np.random.default_rng(3)
    n = 160
    tv = random.gamma(4, 250, n)
    tv[40:46] = 0
    search = random.gamma(6, 100, n)
    return pd.DataFrame(
        {
            "day": pd.date_range(end="2024-01-01", periods=n, freq="7D").date,
            "sales": 10_000 + 800 * np.sin(np.arange(n) / 8) + random.normal(0, 300, n) + tv,
            "tv": tv,
            "grp": tv * 0.4,
            "search": search,
            "mail": random.poisson(500, n).astype(float),
            "price": random.normal(20, 1, n),
            "event": np.where(np.arange(n) % 13 == 0, "promo", "none"),
        }
    )


@pytest.fixture
def gate(tmp_path: Path) -> Callable[..., Verdict]:
    """Write the frame as CSV, extract it, check it."""

    def run(frame: pd.DataFrame, *, previous: dict[str, Any] | None = None, **over: Any) -> Verdict:
        path = tmp_path / "table.csv"
        frame.to_csv(path, index=False)
        document: dict[str, Any] = {
            "version": 1,
            "market": "DE",
            "revision": "r1",
            "source": {"type": "file", "path": str(path)},
            "date": {"column": "day", "frequency": "week"},
            "target": {"column": "sales"},
            "channels": [
                {"name": "tv", "spend": "tv", "exposure": "grp"},
                {"name": "search", "spend": "search"},
            ],
            "organic": ["mail"],
            "context": ["price"],
            "factors": ["event"],
            **over,
        }
        config = load_config(document).config
        snapshot = extract(config, run_id="r", to=tmp_path / "s.parquet")
        return check(snapshot, config, today=TODAY, previous=previous)

    return run


def named(verdict: Verdict) -> set[str]:
    """Names of the checks that did not pass."""
    return {finding.name for finding in verdict.checks if finding.outcome is not Outcome.PASS}
