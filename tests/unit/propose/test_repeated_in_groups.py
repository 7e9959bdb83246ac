"""Long tables whose target repeats within regions: the query that `mmm init` prints is right."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from contract.exceptions import DataError
from mmm.propose import init_config

WEEKS = pd.date_range("2022-01-03", periods=60, freq="7D")
CHANNELS = ("tv", "search", "radio")


def long_table(place: str, name: str, places: tuple[str, ...]) -> pd.DataFrame:
    """Return a row per week, place and channel; `revenue` repeats for every channel."""
    random = np.random.default_rng(1)
    rows = []
    for week in WEEKS:
        for one in places:
            revenue = round(random.normal(5000, 400), 2)
            for channel in CHANNELS:
                spend = round(random.gamma(3, 100), 2)
                rows.append((week.date(), one, channel, spend, revenue))
    return pd.DataFrame(rows, columns=["week", place, name, "spend", "revenue"])


def run_query(frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Run the query that `mmm init` prints, and return its result by date."""
    path = folder / "long.csv"
    frame.to_csv(path, index=False)
    with pytest.raises(DataError) as caught:
        init_config({"type": "file", "path": str(path)}, market="DE")
    message = str(caught.value)
    assert "long format" in message
    sql = next(part for part in message.split("\n\n") if part.startswith("SELECT"))
    return duckdb.sql(sql).df().sort_values("week").reset_index(drop=True)


@pytest.mark.parametrize(
    ("place", "name"),
    [("region", "channel"), ("store", "bucket"), ("segment", "ads_type"), ("brand", "publisher")],
)
def test_a_target_that_repeats_within_places(place: str, name: str, tmp_path: Path) -> None:
    frame = long_table(place, name, ("North", "South", "West", "East"))
    wide = run_query(frame, tmp_path)
    once = frame.drop_duplicates(["week", place]).groupby("week")["revenue"].sum()
    assert np.allclose(wide["revenue"], once)
    for channel in CHANNELS:
        spent = frame[frame[name] == channel].groupby("week")["spend"].sum()
        assert np.allclose(wide[f"{channel}_spend"], spent)


def test_a_target_that_repeats_within_two_columns(tmp_path: Path) -> None:
    parts = [
        long_table("region", "channel", ("North", "South")).assign(brand=brand, revenue=factor)
        for brand, factor in (("A", 1.0), ("B", 2.0))
    ]
    frame = pd.concat(parts)
    random = np.random.default_rng(2)
    keys = frame[["week", "region", "brand"]].drop_duplicates()
    keys["revenue"] = random.normal(4000, 300, len(keys)).round(2)
    frame = frame.drop(columns="revenue").merge(keys).sort_values("week")
    wide = run_query(frame, tmp_path)
    assert np.allclose(wide["revenue"], keys.groupby("week")["revenue"].sum().to_numpy())


def test_a_spend_that_repeats_in_every_region(tmp_path: Path) -> None:
    frame = long_table("region", "channel", ("North", "South", "West"))
    frame["spend"] = frame.groupby(["week", "channel"])["spend"].transform("first")
    wide = run_query(frame, tmp_path)
    tv = frame[frame["channel"] == "tv"].groupby("week")["spend"].max()
    assert np.allclose(wide["tv_spend"], tv)
    once = frame.drop_duplicates(["week", "region"]).groupby("week")["revenue"].sum()
    assert np.allclose(wide["revenue"], once)


def test_countries_stay_in_the_query(tmp_path: Path) -> None:
    frame = long_table("country", "channel", ("DE", "FR"))
    wide = run_query(frame, tmp_path)
    assert set(wide["country"]) == {"DE", "FR"}
    sums = frame.drop_duplicates(["week", "country"])["revenue"].sum()
    assert wide["revenue"].sum() == pytest.approx(sums)


def test_rows_of_zeros_may_be_left_out(tmp_path: Path) -> None:
    frame = long_table("region", "partner", ("North",)).drop(columns="region")
    frame["partner"] = frame["partner"].map({"tv": "TV", "search": "Google", "radio": "Radio"})
    kept = frame[(frame["partner"] == "Google") | (np.arange(len(frame)) % 5 == 0)]
    wide = run_query(kept, tmp_path)
    assert np.allclose(wide["revenue"], kept.groupby("week")["revenue"].max())
    spent = kept[kept["partner"] == "TV"].groupby("week")["spend"].sum()
    found = wide.set_index("week")["tv_spend"]
    assert np.allclose(found[found > 0], spent)


def test_channels_may_be_ids(tmp_path: Path) -> None:
    frame = long_table("region", "channel_id", ("North",)).drop(columns="region")
    frame["channel_id"] = frame["channel_id"].map({"tv": 1, "search": 2, "radio": 30})
    wide = run_query(frame, tmp_path)
    spent = frame[frame["channel_id"] == 30].groupby("week")["spend"].sum()
    assert np.allclose(wide["channel_30_spend"], spent)
    assert np.allclose(wide["revenue"], frame.groupby("week")["revenue"].max())
