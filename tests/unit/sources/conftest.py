"""Small configs and tables for the sources' tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from contract.config import Config
from contract.loading import load_config


def make_config(source: dict[str, Any], **fields: Any) -> Config:
    """A config over columns `day`, `sales`, `tv`, `grp`, `mail`, `price`, `event`."""
    document: dict[str, Any] = {
        "version": 1,
        "market": "DE",
        "revision": "r1",
        "source": source,
        "date": {"column": "day", "frequency": "day"},
        "target": {"column": "sales"},
        "channels": [{"name": "tv", "spend": "tv", "exposure": "grp"}],
        "organic": ["mail"],
        "context": ["price"],
        "factors": ["event"],
        "training": {"preset": "test"},
        **fields,
    }
    return load_config(document).config


@pytest.fixture
def database(tmp_path: Path) -> Callable[..., str]:
    """Write a frame as table `daily` of a DuckDB file; returns the file's path."""

    def write(frame: pd.DataFrame, *, types: str | None = None) -> str:
        path = tmp_path / "warehouse.duckdb"
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as connection:
            connection.register("frame", frame)
            if types is None:
                connection.execute("CREATE TABLE daily AS SELECT * FROM frame")
            else:
                connection.execute(f"CREATE TABLE daily ({types})")
                connection.execute("INSERT INTO daily SELECT * FROM frame")
        return str(path)

    return write


@pytest.fixture
def daily() -> pd.DataFrame:
    """Twenty days, all in order."""
    days = pd.date_range("2024-01-01", periods=20)
    return pd.DataFrame(
        {
            "day": days.date,
            "sales": [100.0 + i for i in range(20)],
            "tv": [10.0 + i % 3 for i in range(20)],
            "grp": [5.0 + i % 4 for i in range(20)],
            "mail": [float(i % 5) for i in range(20)],
            "price": [2.0 + 0.1 * (i % 7) for i in range(20)],
            "event": ["promo" if i % 6 == 0 else "none" for i in range(20)],
        }
    )
