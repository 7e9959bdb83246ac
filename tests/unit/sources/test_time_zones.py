"""Moments that are midnight elsewhere, in every source: found, named, and read as the right day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from contract.config import Config
from contract.loading import load_config
from job.gate import Finding, check
from job.sources import extract
from job.sources.time_zones import midnight_zones
from mmm.propose import init_config
from tests.fakes.bigquery import FakeBigQuery, running

WEEKS = 104
TODAY = date(2024, 6, 1)


def weekly(zone: str) -> pd.DataFrame:
    """Return weeks whose dates are midnight on Mondays in a zone, as moments in UTC."""
    random = np.random.default_rng(1)
    days = pd.date_range("2022-01-03", periods=WEEKS, freq="7D")
    return pd.DataFrame(
        {
            "week": days.tz_localize(zone).tz_convert("UTC"),
            "revenue": random.normal(1000, 50, WEEKS).round(2),
            "tv_spend": random.gamma(3, 20, WEEKS).round(2),
        }
    )


def csv(pattern: str) -> Callable[[pd.DataFrame, Path], dict[str, Any]]:
    def write(frame: pd.DataFrame, folder: Path) -> dict[str, Any]:
        path = folder / "t.csv"
        frame.assign(week=frame["week"].dt.strftime(pattern)).to_csv(path, index=False)
        return {"type": "file", "path": str(path)}

    return write


def parquet(frame: pd.DataFrame, folder: Path) -> dict[str, Any]:
    path = folder / "t.parquet"
    frame.to_parquet(path)
    return {"type": "file", "path": str(path)}


def parquet_without_zone(frame: pd.DataFrame, folder: Path) -> dict[str, Any]:
    return parquet(frame.assign(week=frame["week"].dt.tz_localize(None)), folder)


def table(kind: str) -> Callable[[pd.DataFrame, Path], dict[str, Any]]:
    def write(frame: pd.DataFrame, folder: Path) -> dict[str, Any]:
        path = folder / "w.duckdb"
        text = frame.assign(week=frame["week"].dt.strftime("%Y-%m-%d %H:%M:%S"))
        with duckdb.connect(str(path)) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("frame", text)
            connection.execute(
                f"CREATE TABLE t AS SELECT * REPLACE (week::{kind} AS week) FROM frame"
            )
        return {"type": "duckdb", "path": str(path), "table": "t"}

    return write


SOURCES = {
    "a CSV file with Z": csv("%Y-%m-%dT%H:%M:%SZ"),
    "a CSV file with an offset": csv("%Y-%m-%d %H:%M:%S+00:00"),
    "a CSV file without a zone": csv("%Y-%m-%d %H:%M:%S"),
    "a CSV file with days first": csv("%d.%m.%Y %H:%M"),
    "a CSV file with PM": csv("%m/%d/%Y %I:%M %p"),
    "a Parquet file": parquet,
    "a Parquet file without a zone": parquet_without_zone,
    "a DuckDB table": table("TIMESTAMPTZ"),
    "a DuckDB table without a zone": table("TIMESTAMP"),
}


def found(config: Config, folder: Path, env: dict[str, str] | None = None) -> list[Finding]:
    """Return the findings about the time zone or the weekday."""
    snapshot = extract(config, run_id="r", to=folder / "s.parquet", env=env)
    problems = check(snapshot, config, today=TODAY).problems()
    return [finding for finding in problems if finding.name in ("time_zone", "week_start", "gaps")]


def without_zone(config: Config) -> Config:
    return config.model_copy(update={"date": config.date.model_copy(update={"timezone": "UTC"})})


def check_source(source: dict[str, Any], folder: Path, env: dict[str, str] | None = None) -> None:
    text = init_config(source, market="DE", env=env)
    config = load_config(text).config
    assert config.date.timezone == "Europe/Berlin", text
    assert "CHECK" not in text
    assert found(config, folder, env) == []
    first = pd.read_parquet(folder / "s.parquet").iloc[0, 0]
    assert first == date(2022, 1, 3)
    (finding,) = found(without_zone(config), folder, env)
    assert "22:00 and 23:00 UTC" in finding.sentence
    assert "set `date.timezone: Europe/Berlin`" in finding.sentence


@pytest.mark.parametrize("source", SOURCES)
def test_midnight_in_berlin(source: str, tmp_path: Path) -> None:
    check_source(SOURCES[source](weekly("Europe/Berlin"), tmp_path), tmp_path)


@pytest.mark.parametrize("kind", ["TIMESTAMPTZ", "TIMESTAMP"])
def test_midnight_in_berlin_in_bigquery(kind: str, tmp_path: Path) -> None:
    def write(service: FakeBigQuery) -> None:
        frame = weekly("Europe/Berlin")
        rows = ", ".join(
            f"('{row.week:%Y-%m-%d %H:%M:%S}'::{kind}, {row.revenue}, {row.tv_spend})"
            for row in frame.itertuples()
        )
        service.database.execute("SET TimeZone = 'UTC'")
        service.database.execute("CREATE SCHEMA mmm")
        service.database.execute(
            f"CREATE TABLE mmm.t (week {kind}, revenue DOUBLE, tv_spend DOUBLE)"
        )
        service.database.execute(f"INSERT INTO mmm.t VALUES {rows}")

    with running() as service:
        write(service)
        check_source({"type": "bigquery", "table": "mmm.t"}, tmp_path, service.env)


@pytest.mark.parametrize(
    ("zone", "market", "proposed", "warns"),
    [
        ("America/New_York", "US", "America/New_York", True),
        ("Europe/London", "GB", "Europe/London", True),
        ("Asia/Tokyo", "JP", "Asia/Tokyo", True),
        ("Asia/Kolkata", "IN", "Asia/Kolkata", True),
        ("Australia/Sydney", "AU", "Australia/Sydney", True),
        ("America/Phoenix", "US", "America/Phoenix", False),  # 07:00 UTC is the same day
        ("UTC", "DE", "UTC", False),
    ],
)
def test_other_zones(zone: str, market: str, proposed: str, warns: bool, tmp_path: Path) -> None:
    source = csv("%Y-%m-%dT%H:%M:%SZ")(weekly(zone), tmp_path)
    config = load_config(init_config(source, market=market)).config
    assert config.date.timezone == proposed
    assert found(config, tmp_path) == []
    assert pd.read_parquet(tmp_path / "s.parquet").iloc[0, 0] == date(2022, 1, 3)
    assert [f.name for f in found(without_zone(config), tmp_path)] == ["time_zone"] * warns


def test_a_zone_of_another_market_is_a_question(tmp_path: Path) -> None:
    source = csv("%Y-%m-%dT%H:%M:%SZ")(weekly("Europe/Berlin"), tmp_path)
    text = init_config(source, market="US")
    (line,) = [line for line in text.splitlines() if "timezone" in line]
    assert "CHECK" in line
    assert "Europe/Paris" in line


def test_a_zone_that_moves_midnight_is_named(tmp_path: Path) -> None:
    source = csv("%Y-%m-%d %H:%M:%S")(weekly("UTC"), tmp_path)
    config = load_config(init_config(source, market="DE")).config
    dates = config.date.model_copy(update={"timezone": "America/New_York"})
    (finding,) = found(config.model_copy(update={"date": dates}), tmp_path)
    assert "remove `date.timezone`" in finding.sentence


def test_times_of_events_are_no_midnight() -> None:
    days = [(date(2024, 1, day), date(2024, 1, day)) for day in range(1, 29)]
    random = np.random.default_rng(1)
    times = [(int(early), int(early) + 300) for early in random.integers(0, 1000, 28)]
    assert midnight_zones(days, times, market="DE") == ()
    assert midnight_zones(days, [(720, 720)] * 28, market="DE") == ("Pacific/Auckland",) * 0
