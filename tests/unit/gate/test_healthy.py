"""The gate reports nothing about healthy tables of many kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from contract.loading import load_config
from job.gate import Verdict, check
from job.sources import extract
from tests.unit.gate.conftest import named
from tests.unit.gate.healthy import Healthy, healthy

KINDS = [
    *((frequency, "single") for frequency in ("day", "week", "month")),
    *((frequency, "daily") for frequency in ("week", "month")),
    *((frequency, layout) for frequency in ("day", "week") for layout in ("campaigns", "markets")),
]


def check_table(table: Healthy, path: Path) -> Verdict:
    setup: dict[str, Any] = dict(table.setup)
    country = setup.pop("country_column", None)
    source = {"type": "file", "path": str(path)}
    if country:
        source["country_column"] = country
    document = {"version": 1, "market": "DE", "revision": "r1", "source": source, **setup}
    config = load_config(document).config
    snapshot = extract(config, run_id="r", to=path.parent / "snapshot.parquet")
    return check(snapshot, config, today=table.today)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("frequency", "layout"), KINDS)
def test_healthy_tables_pass(frequency: str, layout: str, seed: int, tmp_path: Path) -> None:
    table = healthy(frequency, layout, seed)
    path = tmp_path / "table.csv"
    table.frame.to_csv(path, index=False)
    verdict = check_table(table, path)
    assert named(verdict) == set(), [f.sentence for f in verdict.problems()]


@pytest.mark.parametrize("form", ["%d.%m.%Y", "%m/%d/%Y"])
def test_dates_may_be_written_in_any_way(form: str, tmp_path: Path) -> None:
    table = healthy("week", "single", 7)
    path = tmp_path / "table.csv"
    table.frame.assign(day=table.frame["day"].dt.strftime(form)).to_csv(path, index=False)
    table.setup["date"]["format"] = form
    assert named(check_table(table, path)) == set()


@pytest.mark.parametrize("unit", ["us", "ns"])
def test_timestamps_in_a_zone_with_summer_time(unit: str, tmp_path: Path) -> None:
    table = healthy("day", "single", 7)
    path = tmp_path / "table.parquet"
    zone = "Europe/Berlin"
    timestamps = table.frame["day"].dt.tz_localize(zone).dt.tz_convert("UTC")
    table.frame.assign(day=timestamps.astype(f"datetime64[{unit}, UTC]")).to_parquet(
        path, index=False
    )
    table.setup["date"]["timezone"] = zone
    verdict = check_table(table, path)
    assert named(verdict) == set()
    assert verdict.first_date == table.frame["day"].iloc[0].date()


def test_weeks_across_new_year_have_no_gap(tmp_path: Path) -> None:
    table = healthy("week", "single", 7)
    days = pd.date_range("2024-12-30", periods=len(table.frame), freq="7D")
    path = tmp_path / "table.csv"
    table.frame.assign(day=days).to_csv(path, index=False)
    later = Healthy(frame=table.frame, setup=table.setup, today=days[-1].date())
    assert named(check_table(later, path)) == set()
