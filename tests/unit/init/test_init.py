"""Proposals for tables with other people's column names; each must load as a config and extract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from contract.config import Config
from contract.exceptions import ConfigError, DataError
from contract.loading import load_config
from job.init import init_config
from job.sources import extract


def proposed(frame: pd.DataFrame, folder: Path, market: str = "DE") -> Config:
    path = folder / "table.csv"
    frame.to_csv(path, index=False)
    text = init_config({"type": "file", "path": str(path)}, market=market)
    config = load_config(text).config
    extract(config, run_id="r", to=folder / "s.parquet")
    return config


def table(*columns: str, rows: int = 60) -> pd.DataFrame:
    random = np.random.default_rng(1)
    return pd.DataFrame({name: random.gamma(3, 100, rows).round(2) for name in columns})


def test_robyn_names(tmp_path: Path) -> None:
    frame = table(
        *["revenue", "tv_S", "ooh_S", "print_S", "facebook_I", "search_clicks_P", "search_S"],
        *["competitor_sales_B", "facebook_S", "newsletter"],
    )
    frame.insert(0, "DATE", pd.date_range("2022-01-03", periods=60, freq="7D").date)
    frame["events"] = np.where(np.arange(60) % 9 == 0, "event1", "na")
    config = proposed(frame, tmp_path)
    assert config.date.frequency.value == "week"
    assert config.target.column == "revenue"
    channels = {c.name: (c.spend, c.exposure) for c in config.channels}
    assert channels == {
        "tv": ("tv_S", None),
        "ooh": ("ooh_S", None),
        "print": ("print_S", None),
        "search": ("search_S", "search_clicks_P"),
        "facebook": ("facebook_S", "facebook_I"),
    }
    assert config.organic == ["newsletter"]
    assert config.context == ["competitor_sales_B"]
    assert config.factors == ["events"]


def test_german_names_dates_and_a_country(tmp_path: Path) -> None:
    frame = table("Umsatz", "TV Kosten", "Radio Ausgaben", "Preis")
    frame["Datum"] = [f"{d:%d.%m.%Y}" for d in pd.date_range("2024-01-01", periods=60)]
    frame["Land"] = "DE"
    config = proposed(frame, tmp_path)
    assert config.date.format == "%d.%m.%Y"
    assert config.date.frequency.value == "day"
    assert config.source.country_column == "Land"
    assert [c.spend for c in config.channels] == ["TV Kosten", "Radio Ausgaben"]
    assert config.context == ["Preis"]


def test_names_of_media_alone(tmp_path: Path) -> None:
    frame = table("Sales", "TV", "Radio", "Newspaper", rows=40)
    frame["week"] = pd.date_range("2020-01-05", periods=40, freq="7D").date
    config = proposed(frame, tmp_path)
    assert [c.spend for c in config.channels] == ["TV", "Radio", "Newspaper"]
    assert config.date.week_start.value == "sunday"


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has not a date column") as caught:
        proposed(table("foo", "bar"), tmp_path)
    assert "a target" in str(caught.value)
    assert "a channel" in str(caught.value)
    frame = table("revenue", "tv_cost").assign(day=pd.date_range("2024-01-01", periods=60).date)
    frame["country"] = ["AT", "CH"] * 30
    with pytest.raises(ConfigError, match="market `DE` is not in column `country`; it has AT, CH"):
        proposed(frame, tmp_path)


def test_days_and_months_that_could_be_either_are_not_guessed(tmp_path: Path) -> None:
    frame = table("revenue", "tv_cost", rows=12)
    frame["date"] = [f"0{i % 9 + 1}/0{i % 7 + 1}/2024" for i in range(12)]
    with pytest.raises(DataError, match="has not a date column"):
        proposed(frame, tmp_path)
