"""Dates that no data has, such as the 9999-12-31 of many warehouses, end with a sentence."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from contract.config import Config, Frequency
from contract.exceptions import DataError
from job.sources import extract
from job.sources.annotations import last_day

STEPS = {"day": 1, "week": 7, "month": 30}


def config(source: dict[str, str], **dates: object) -> Config:
    return Config.model_validate(
        {
            "version": 1,
            "market": "DE",
            "revision": "r1",
            "source": source,
            "date": {"column": "DATE", **dates},
            "target": {"column": "REVENUE"},
            "channels": [{"name": "tv", "spend": "TV"}],
        }
    )


def days_with(step: int, *more: str) -> list[str]:
    usual = [str(date(2022, 1, 3) + timedelta(days=step * number)) for number in range(60)]
    return [*usual, *more]


def csv(folder: Path, days: list[str]) -> dict[str, str]:
    file = folder / "data.csv"
    file.write_text("\n".join(["DATE,REVENUE,TV", *(f"{day},100,10" for day in days)]) + "\n")
    return {"type": "file", "path": str(file)}


def table(folder: Path, days: list[str], kind: str) -> dict[str, str]:
    path = str(folder / "data.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute(f'create table t ("DATE" {kind}, "REVENUE" double, "TV" double)')
        connection.executemany("insert into t values (?, 100, 10)", [[day] for day in days])
    return {"type": "duckdb", "path": path, "table": "t"}


@pytest.mark.parametrize("far", ["9999-12-31", "2262-05-01", "0001-01-01", "1677-01-01"])
@pytest.mark.parametrize("frequency", STEPS)
@pytest.mark.parametrize("fill", ["none", "zero"])
def test_a_date_that_no_data_has(tmp_path: Path, far: str, frequency: str, fill: str) -> None:
    source = csv(tmp_path, days_with(STEPS[frequency], far))
    with pytest.raises(DataError, match=f"`DATE` has the date {far}; allowed: years 1678 to 2261"):
        extract(
            config(source, frequency=frequency, fill=fill), run_id="r", to=tmp_path / "s.parquet"
        )


@pytest.mark.parametrize("kind", ["date", "timestamp", "varchar"])
def test_in_a_database(tmp_path: Path, kind: str) -> None:
    source = table(tmp_path, days_with(7, "9999-12-31"), kind)
    with pytest.raises(DataError, match="9999-12-31"):
        extract(config(source), run_id="r", to=tmp_path / "s.parquet")


@pytest.mark.parametrize("end", ["2022-12-31", "2199-12-31"])
def test_the_window_leaves_it_out(tmp_path: Path, end: str) -> None:
    source = csv(tmp_path, days_with(7, "9999-12-31"))
    snapshot = extract(config(source, end=end), run_id="r", to=tmp_path / "s.parquet")
    assert snapshot.last_date.year < 2024


def test_a_window_without_end(tmp_path: Path) -> None:
    source = csv(tmp_path, days_with(7))
    dates = {"start": "0001-01-01", "end": "9999-12-31"}
    assert extract(config(source, **dates), run_id="r", to=tmp_path / "s.parquet").rows == 60


@pytest.mark.parametrize("frequency", Frequency)
def test_the_last_period_of_the_calendar_has_an_end(frequency: Frequency) -> None:
    assert last_day(date(9999, 12, 31), frequency) == date.max
