"""A healthy table, and the gate's verdict on a table like it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from contract.loading import load_config
from job.gate import Verdict, check
from job.sources import extract

TODAY = date(2024, 1, 10)


def healthy_table() -> pd.DataFrame:
    """Return 160 healthy weeks up to 2024-01-01, dated on Mondays."""
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


def config_of(path: Path, **setup: Any) -> dict[str, Any]:
    """Return a config for the healthy table in a file."""
    return {
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
        **setup,
    }


def check_frame(
    frame: pd.DataFrame,
    folder: Path,
    *,
    today: date = TODAY,
    previous: dict[str, Any] | None = None,
    **setup: Any,
) -> Verdict:
    """Write a table as CSV, extract it and return the gate's verdict."""
    path = folder / "table.csv"
    frame.to_csv(path, index=False)
    config = load_config(config_of(path, **setup)).config
    snapshot = extract(config, run_id="r", to=folder / "snapshot.parquet")
    return check(snapshot, config, today=today, previous=previous)
