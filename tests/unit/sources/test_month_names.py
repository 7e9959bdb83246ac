"""Names of months in eight languages: Python and the SQL of DuckDB read the same days."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from sqlglot import exp

from contract.config import Config
from contract.exceptions import MMMError
from contract.loading import load_config
from job.sources import extract
from job.sources.date_texts import parse_day
from job.sources.plan import make_plan
from job.sources.schema import Field, Kind
from job.sources.sql_dates import parse_date
from mmm.propose import init_config
from tests.unit.sources.conftest import make_config

LANGUAGES = {
    "English": "January February March April May June July August September October November "
    "December",
    "German": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "Austrian": "Jänner Feber März April Mai Juni Juli August September Oktober November Dezember",
    "French": "janvier février mars avril mai juin juillet août septembre octobre novembre "
    "décembre",
    "Spanish": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre",
    "Italian": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre "
    "novembre dicembre",
    "Portuguese": "janeiro fevereiro março abril maio junho julho agosto setembro outubro "
    "novembro dezembro",
    "Dutch": "januari februari maart april mei juni juli augustus september oktober november "
    "december",
    "Polish": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października "
    "listopada grudnia",
    "short English": "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec",
    "short German": "Jan. Feb. Mär. Apr. Mai Jun. Jul. Aug. Sep. Okt. Nov. Dez.",
    "short French": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "French without accents": "janv fevr mars avr mai juin juil aout sept oct nov dec",
    "short Spanish": "ene feb mar abr may jun jul ago sep oct nov dic",
    "short Italian": "gen feb mar apr mag giu lug ago set ott nov dic",
    "short Portuguese": "jan fev mar abr mai jun jul ago set out nov dez",
    "short Dutch": "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "short Polish": "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    "capitals": "JAN FEB MÄR APR MAI JUN JUL AUG SEP OKT NOV DEZ",
}
FORMS = {
    "%d %b %Y": ("3 {} 2021", "03-{}-2021", "3. {} 2021", "3 de {} de 2021", "03/{}/2021 00:00"),
    "%d %b %y": ("3 {} 21", "03-{}-21"),
    "%b %d, %Y": ("{} 3, 2021", "{} 03 2021"),
    "%b %Y": ("{} 2021", "{}-2021"),
    "%b %y": ("{} 21", "{}-21", "{} '21"),
    "%Y %b": ("2021 {}", "2021-{}"),
}


def query(date_format: str, dialect: str) -> str:
    """Return the SQL that reads the days of the texts in `t`."""
    when = {"column": "day", "frequency": "month", "format": date_format}
    config: Config = make_config({"type": "snowflake", "table": "t"}, date=when)
    names = ("day", "sales", "tv", "grp", "mail", "price", "event")
    kinds = {"day": Kind.TEXT, "event": Kind.TEXT}
    plan = make_plan(
        config, [Field(name=n, kind=kinds.get(n, Kind.FLOAT)) for n in names], table="t"
    )
    return exp.select(parse_date(config, plan)).from_("t").sql(dialect=dialect)


def read_by_duckdb(texts: list[str], date_format: str) -> list[date | None]:
    with duckdb.connect() as connection:
        connection.register("t", pd.DataFrame({"day": texts}))
        return [row[0] for row in connection.execute(query(date_format, "duckdb")).fetchall()]


def in_every_language(date_format: str) -> tuple[list[str], list[date]]:
    """Return texts of dates, and the days that they write."""
    texts, days = [], []
    for names in LANGUAGES.values():
        for month, name in enumerate(names.split(), start=1):
            for form in FORMS[date_format]:
                texts.append(form.format(name))
                days.append(date(2021, month, 3 if "%d" in date_format else 1))
    return texts, days


@pytest.mark.parametrize("date_format", FORMS)
def test_every_language(date_format: str) -> None:
    texts, days = in_every_language(date_format)
    read = [parse_day(text, date_format) for text in texts]
    assert read == days, [
        t for t, found, day in zip(texts, read, days, strict=True) if found != day
    ]
    assert read_by_duckdb(texts, date_format) == days


@pytest.mark.parametrize("date_format", FORMS)
def test_what_is_no_date_is_read_by_neither(date_format: str) -> None:
    texts = ["Total", "", "31 Feb 2021", "3 Foo 2021", "2021", "Jan", "3 2021", "Q1 2021", "-"]
    assert read_by_duckdb(texts, date_format) == [parse_day(t, date_format) for t in texts]


def table(days: list[str], folder: Path) -> dict[str, str]:
    path = folder / "t.csv"
    frame = pd.DataFrame({"date": days})
    frame["revenue"] = [5000 + 37 * i % 900 for i in range(len(days))]
    frame["tv_spend"] = [300 + 71 * i % 400 for i in range(len(days))]
    frame.to_csv(path, index=False)
    return {"type": "file", "path": str(path)}


@pytest.mark.parametrize("language", ["German", "short French", "short Polish"])
def test_init_finds_them(language: str, tmp_path: Path) -> None:
    names = LANGUAGES[language].split()
    days = [f"{name} {year}" for year in (2019, 2020, 2021, 2022) for name in names]
    config = load_config(init_config(table(days, tmp_path), market="DE")).config
    assert config.date.format == "%b %Y"
    snapshot = extract(config, run_id="r", to=tmp_path / "s.parquet")
    assert (snapshot.first_date, snapshot.rows) == (date(2019, 1, 1), 48)


def test_dates_that_excel_swapped_are_named(tmp_path: Path) -> None:
    moments = pd.date_range("2022-01-03", periods=60, freq="7D")
    days = [f"{d:%Y-%d-%m}" if d.day <= 12 else f"{d:%d/%m/%Y}" for d in moments]
    with pytest.raises(MMMError) as caught:
        init_config(table(days, tmp_path), market="DE")
    assert "Excel swapped day and month" in str(caught.value)
    assert "`2022-03-01` in row 2 and `17/01/2022` in row 4" in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        *(("%Y%m", "%Y%m"), ("%d-%m-%y", "%d-%m-%y"), ("%y%m%d", "%y%m%d"), ("%GW%V", "%GW%V")),
        *(("%d-%b-%y", "%d %b %y"), ("%d/%m/%Y %H:%M", "%d/%m/%Y")),
    ],
)
def test_other_ways_to_write_days(pattern: str, expected: str, tmp_path: Path) -> None:
    step = "MS" if pattern == "%Y%m" else "7D"
    start = "2019-01-01" if step == "MS" else "2019-01-07"
    moments = pd.date_range(start, periods=60, freq=step)
    source = table([moment.strftime(pattern) for moment in moments], tmp_path)
    config = load_config(init_config(source, market="DE")).config
    assert config.date.format == expected
    snapshot = extract(config, run_id="r", to=tmp_path / "s.parquet")
    assert (str(snapshot.first_date), snapshot.rows) == (start, 60)
    assert config.date.frequency.value == ("month" if step == "MS" else "week")


def test_digits_that_are_weeks_or_months_are_a_question(tmp_path: Path) -> None:
    source = table([f"2022{i:02d}" for i in range(1, 13)], tmp_path)
    with pytest.raises(MMMError, match="`202201` could be"):
        init_config(source, market="DE")
