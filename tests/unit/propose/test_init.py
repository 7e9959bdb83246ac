"""Proposals for tables with many kinds of column names: each loads as a config and extracts."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from contract.config import Config
from contract.exceptions import ConfigError, DataError
from contract.loading import load_config
from job.sources import extract
from mmm.propose import KnownColumns, init_config
from tests.unit.sources.test_workbooks import write_book


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


def test_missing_roles_are_reported(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no date column") as caught:
        proposed(table("foo", "bar"), tmp_path)
    assert "no target" in str(caught.value)
    assert "no channel" in str(caught.value)
    frame = table("revenue", "tv_cost").assign(day=pd.date_range("2024-01-01", periods=60).date)
    frame["country"] = ["AT", "CH"] * 30
    with pytest.raises(ConfigError, match="market `DE` is not in column `country`; it has AT, CH"):
        proposed(frame, tmp_path)


def test_ambiguous_days_and_months_are_not_guessed(tmp_path: Path) -> None:
    frame = table("revenue", "tv_cost", rows=12)
    frame["date"] = [f"0{i % 9 + 1}/0{i % 7 + 1}/2024" for i in range(12)]
    with pytest.raises(DataError, match="has no date column"):
        proposed(frame, tmp_path)


def test_regular_intervals_decide_between_day_and_month(tmp_path: Path) -> None:
    frame = table("revenue", "tv_cost", rows=24)
    frame["date"] = [f"01/{m:02}/{year}" for year in (2023, 2024) for m in range(1, 13)]
    config = proposed(frame, tmp_path)
    assert (config.date.format, config.date.frequency.value) == ("%d/%m/%Y", "month")


def test_a_long_table_is_reported_with_a_query_that_pivots_it(tmp_path: Path) -> None:
    rows = [
        {
            "date": day,
            "channel": channel,
            "cost": i**1.5,
            "clicks": 9 + i % 7,
            "revenue": i**1.2,
        }
        for i, day in enumerate(pd.date_range("2022-01-03", periods=60, freq="7D").date)
        for channel in ("TV", "Paid Search")
    ]
    path = tmp_path / "long.parquet"
    pd.DataFrame(rows).to_parquet(path, index=False)
    with pytest.raises(DataError, match="one row per date and `channel`") as caught:
        init_config({"type": "file", "path": str(path)}, market="DE")
    message = str(caught.value)
    query = message[message.index("SELECT") : message.index("\n\nThe query takes MAX of `revenue`")]
    wide = tmp_path / "wide.parquet"
    duckdb.connect().execute(f"COPY ({query}) TO '{wide}'")
    config = load_config(init_config({"type": "file", "path": str(wide)}, market="DE")).config
    assert [(c.spend, c.exposure) for c in config.channels] == [
        ("paid_search_cost", "paid_search_clicks"),
        ("tv_cost", "tv_clicks"),
    ]


def test_regions_are_summed_and_context_with_negative_values_is_averaged(tmp_path: Path) -> None:
    frame = table("conversions", "Channel0_spend", "Channel0_impression")
    frame["sentiment_control"] = np.random.default_rng(2).normal(0, 1, 60)
    frame["revenue_per_conversion"] = 2.5 + frame["sentiment_control"] / 9
    frame["time"] = pd.date_range("2021-01-25", periods=60, freq="7D").date
    frame = pd.concat(
        [frame.assign(geo="Geo0", population=9.0), frame.assign(geo="Geo1", population=4.0)]
    )
    frame.insert(0, "Unnamed: 0", range(len(frame)))
    config = proposed(frame, tmp_path)
    assert config.source.country_column is None
    assert config.target.column == "conversions"
    assert config.target.kind.value == "conversion"
    assert config.context == ["sentiment_control"]
    assert config.aggregation["sentiment_control"].value == "mean"


def test_numbers_with_a_decimal_comma_are_read(tmp_path: Path) -> None:
    frame = table("revenue", "tv_cost")
    frame["date"] = pd.date_range("2024-01-01", periods=60).date
    frame["revenue"] = [f"1.{i % 900 + 100},50" for i in range(60)]
    frame["tv_cost"] = [f"{1_000 + i * i % 89},25 €" for i in range(60)]
    config = proposed(frame, tmp_path)
    assert (config.numbers.decimal, config.numbers.thousands) == (",", ".")
    values = pd.read_parquet(tmp_path / "s.parquet")
    assert values["revenue"].sum() == sum(1000 + i % 900 + 100 + 0.5 for i in range(60))
    assert values["tv_cost"].sum() == sum(1_000 + i * i % 89 + 0.25 for i in range(60))


def test_numbers_in_lakhs_are_read(tmp_path: Path) -> None:
    frame = table("revenue", "tv_cost")
    frame["date"] = pd.date_range("2024-01-01", periods=60).date
    frame["revenue"] = [f" 5,54,{i:02},076.1 " for i in range(60)]
    frame["tv_cost"] = [f"1,{i + 10},443.5" for i in range(60)]
    assert proposed(frame, tmp_path).numbers.thousands == ","
    values = pd.read_parquet(tmp_path / "s.parquet")
    assert values["revenue"].tolist() == [55_400_076.1 + 1000 * i for i in range(60)]
    assert values["tv_cost"].tolist() == [110_443.5 + 1000 * i for i in range(60)]


def test_options_override_rules(tmp_path: Path) -> None:
    frame = table("turnover_a", "thing", "other")
    frame["date"] = pd.date_range("2024-01-01", periods=60).date
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    source = {"type": "file", "path": str(path)}
    text = init_config(source, market="NO", known=KnownColumns(target="thing", spends=("other",)))
    config = load_config(text).config
    assert (config.market, config.target.column) == ("NO", "thing")
    assert [c.spend for c in config.channels] == ["other"]
    with pytest.raises(DataError, match=r"no column `othr`.*`other`"):
        init_config(source, market="NO", known=KnownColumns(spends=("othr",)))


def test_a_workbook_with_one_table_and_a_title(tmp_path: Path) -> None:
    frame = table("revenue", "tv_spend", "search_spend")
    frame.insert(0, "week", pd.date_range("2022-01-03", periods=60, freq="7D").date)
    rows = [["Report"], [], list(frame), *frame.to_numpy().tolist()]
    path = write_book(tmp_path / "t.xlsx", {"Notes": [["hello"]], "Data": rows})
    text = init_config({"type": "file", "path": str(path)}, market="DE")
    config = load_config(text).config
    assert config.source.sheet == "Data"
    assert "CHECK" not in text
    assert extract(config, run_id="r", to=tmp_path / "s.parquet").rows == 60


def test_other_sheets_that_look_like_tables_are_named(tmp_path: Path) -> None:
    frame = table("revenue", "tv_spend", "search_spend")
    frame.insert(0, "week", pd.date_range("2022-01-03", periods=60, freq="7D").date)
    rows = [list(frame), *frame.to_numpy().tolist()]
    path = write_book(tmp_path / "t.xlsx", {"A": rows, "B": rows[:21]})
    text = init_config({"type": "file", "path": str(path)}, market="DE")
    assert "# CHECK: other sheets look like tables: `B` (20 rows)" in text
    other = init_config({"type": "file", "path": str(path), "sheet": "B"}, market="DE")
    assert load_config(other).config.source.sheet == "B"
