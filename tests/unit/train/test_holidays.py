"""Tests of job/train/holidays.py."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from contract.exceptions import ConfigError
from contract.loading import load_config
from job.train.holidays import UnknownCountryError, check_country, holidays_table
from mmm.commands import app
from tests.bad_configs import changed

YEAR = (date(2024, 3, 1), date(2024, 3, 2))


def test_whole_years_in_robyns_columns() -> None:
    table = holidays_table("de", date(2023, 12, 31), date(2024, 1, 1))
    assert list(table.columns) == ["ds", "holiday", "country", "year"]
    assert set(table["country"]) == {"DE"}
    assert table["ds"].is_monotonic_increasing
    assert set(table["year"]) == {2023, 2024}
    names = dict(zip(table["ds"], table["holiday"], strict=True))
    assert names["2024-10-03"] == "German Unity Day"
    assert names["2023-12-25"] == "Christmas Day"


def test_two_holidays_on_one_day_are_two_rows() -> None:
    # In 2008 Labor Day and Ascension Day fell on 1 May.
    table = holidays_table("DE", date(2008, 1, 1), date(2008, 12, 31))
    assert len(table[table["ds"] == "2008-05-01"]) == 2


def test_uk_is_gb() -> None:
    uk, gb = holidays_table("UK", *YEAR), holidays_table("GB", *YEAR)
    assert uk["holiday"].tolist() == gb["holiday"].tolist()
    assert set(uk["country"]) == {"UK"}


@pytest.mark.parametrize(
    ("country", "match"),
    [("Germany", "DE"), ("DEU", "DE"), ("Untied Kingdom", "GB"), ("south korea", "KR")],
)
def test_unknown_country_names_the_nearest(country: str, match: str) -> None:
    with pytest.raises(ConfigError, match=f"`{country}`.*Did you mean `{match}`") as caught:
        holidays_table(country, *YEAR)
    assert caught.value.exit_code == 64


def test_nothing_near_is_no_suggestion() -> None:
    with pytest.raises(UnknownCountryError) as caught:
        holidays_table("'; drop table", *YEAR)
    assert "Did you mean" not in str(caught.value)


def test_end_before_start_is_refused() -> None:
    with pytest.raises(ValueError, match="is before"):
        holidays_table("DE", date(2024, 2, 1), date(2024, 1, 1))


@pytest.mark.parametrize(
    "training", [{"holidays": "uk"}, {"holidays": "XX", "prophet": ["trend"]}, {}]
)
def test_a_country_that_is_known_or_not_used_is_accepted(training: dict[str, Any]) -> None:
    check_country(load_config(changed({"training": training, "market": "EMEA"})).config)


def test_an_unknown_country_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    document = changed({"training.holidays": "Germny", "source.path": "no-such-file.csv"})
    with pytest.raises(UnknownCountryError, match="Did you mean `DE`"):
        check_country(load_config(changed({"training.holidays": "Germny"})).config)
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(document, default=str))
    for command in ("plan", "check"):
        done = CliRunner().invoke(app, [command, str(path)])
        assert done.exit_code == 64, done.output
        assert "`training.holidays` is `Germny`" in done.stderr
        assert "no-such-file" not in done.output
