"""Faults put into healthy tables: the product names each, or reads the right numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from contract.exceptions import MMMError
from contract.loading import load_config
from job.gate import Outcome, check
from job.sources import extract
from mmm.propose import init_config

MARKET = "DE"


def healthy(seed: int, periods: int = 80) -> pd.DataFrame:
    """Return weekly rows as text, with three spends, an exposure and a target."""
    random = np.random.default_rng(seed)
    spend = {name: random.gamma(3, 400, periods).round(2) for name in ("tv", "search", "radio")}
    frame = pd.DataFrame({f"{name}_spend": values for name, values in spend.items()})
    frame.insert(0, "date", pd.date_range("2022-01-03", periods=periods, freq="7D").date)
    frame["search_clicks"] = (spend["search"] * random.lognormal(1, 0.1, periods)).round()
    frame["revenue"] = (9000 + sum(spend.values()) * random.lognormal(0, 0.2, periods)).round(2)
    return frame


def outcome(frame: pd.DataFrame, truth: pd.DataFrame, folder: Path, **how: str) -> str:
    """Return `named` with the sentence, `right` or `SILENT` for a table that has a fault."""
    path = folder / "t.csv"
    frame.to_csv(path, index=False, **how)  # type: ignore[call-overload]
    try:
        text = init_config({"type": "file", "path": str(path)}, market=MARKET)
        config = load_config(text).config
        snapshot = extract(config, run_id="r", to=folder / "s.parquet")
        verdict = check(snapshot, config, today=truth["date"].max())
    except MMMError as error:
        return f"named: {error}"
    found = verdict.findings(Outcome.BLOCK) + verdict.findings(Outcome.WARN)
    if "CHECK" in text or found:
        return f"named: {[finding.sentence for finding in found]} {text}"
    read = pd.read_parquet(snapshot.path)
    expected = [column for column in truth if column != "date"]
    same = all(c in read and np.allclose(read[c], truth[c].astype(float)) for c in expected)
    paid = sorted(channel.spend for channel in config.channels)
    right = same and paid == ["radio_spend", "search_spend", "tv_spend"]
    return "right" if right and read.iloc[:, 0].tolist() == truth["date"].tolist() else "SILENT"


def _write(column: str, pattern: Callable[[float], str]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.assign(**{column: [pattern(v) for v in frame[column]]})


def _cell(column: str, text: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].astype(object).tolist()
        values[7] = text
        return frame.assign(**{column: values})

    return change


def _long(frame: pd.DataFrame) -> pd.DataFrame:
    long = frame.melt(
        ["date", "revenue"], ["tv_spend", "search_spend", "radio_spend"], "bucket", "money_spend"
    )
    return long.sort_values("date")


def _date(pattern: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.assign(date=[day.strftime(pattern) for day in frame["date"]])


def _german(value: float) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


FAULTS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "a target repeated per channel": _long,
    "pairs of metric and value": lambda f: f.melt("date", var_name="what", value_name="v"),
    "a dollar sign": _write("tv_spend", lambda v: f"${v:,.2f}"),
    "a German number with a euro sign": _write("tv_spend", lambda v: f"{_german(v)} €"),
    "blanks within numbers": _write("revenue", lambda v: f"{v:,.2f}".replace(",", "\u00a0")),
    "powers of ten": lambda f: f.assign(
        revenue=[f"{v:.9e}" if i % 3 else str(v) for i, v in enumerate(f["revenue"])]
    ),
    "powers of ten with a comma": _write("revenue", lambda v: f"{v:.9E}".replace(".", ",")),
    "an error of Excel": _cell("radio_spend", "#N/A"),
    "a dash": _cell("radio_spend", "-"),
    "a word": _cell("tv_spend", "pending"),
    "parentheses": _cell("tv_spend", "(200.00)"),
    "a date far in the future": _cell("date", "9999-12-31"),
    "a date long ago": _cell("date", "0001-01-01"),
    "a row of totals": _cell("date", "Total"),
    "days first": _date("%d-%m-%y"),
    "names of months": _date("%d-%b-%Y"),
    "times": _date("%d/%m/%Y 00:00"),
    "ISO weeks": _date("%G-W%V"),
    "Excel's dates": lambda f: f.assign(
        date=[(d - pd.Timestamp("1899-12-30").date()).days for d in f["date"]]
    ),
    "a header twice": lambda f: f.set_axis([*f.columns[:2], "tv_spend", *f.columns[3:]], axis=1),
    "a constant channel": lambda f: f.assign(radio_spend=5.0),
    "filler words": lambda f: f.rename(columns={"search_clicks": "clicks_paid_search_ads"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_stays_silent(fault: str, tmp_path: Path) -> None:
    truth = healthy(1)
    result = outcome(FAULTS[fault](truth), _truth(fault, truth), tmp_path)
    assert result != "SILENT"


def _truth(fault: str, truth: pd.DataFrame) -> pd.DataFrame:
    if fault == "filler words":
        return truth.rename(columns={"search_clicks": "clicks_paid_search_ads"})
    return truth


@pytest.mark.parametrize(
    "fault",
    [
        *("powers of ten", "powers of ten with a comma"),
        *("a dollar sign", "a German number with a euro sign", "blanks within numbers"),
        *("days first", "names of months", "times", "ISO weeks", "Excel's dates", "filler words"),
    ],
)
def test_other_ways_to_write_are_read(fault: str, tmp_path: Path) -> None:
    truth = healthy(2)
    assert outcome(FAULTS[fault](truth), _truth(fault, truth), tmp_path) == "right"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_text_in_other_encodings_is_read(encoding: str, tmp_path: Path) -> None:
    truth = healthy(3)
    path = tmp_path / "t.csv"
    truth.rename(columns={"revenue": "Umsätze"}).to_csv(path, index=False, encoding=encoding)
    config = load_config(init_config({"type": "file", "path": str(path)}, market="DE")).config
    assert config.target.column == "Umsätze"
    extract(config, run_id="r", to=tmp_path / "s.parquet")
    assert np.allclose(pd.read_parquet(tmp_path / "s.parquet").iloc[:, 1], truth["revenue"])


@pytest.mark.parametrize("seed", range(4))
def test_healthy_tables_are_read_without_a_question(seed: int, tmp_path: Path) -> None:
    truth = healthy(seed)
    assert outcome(truth, truth, tmp_path) == "right"


def test_figures_that_are_no_money_are_no_spend(tmp_path: Path) -> None:
    frame = healthy(4).assign(
        tv_frequency=3.1, search_ctr=0.04, search_avg_position=np.arange(80) % 5 + 1.5
    )
    frame["search_ctr"] = np.random.default_rng(4).uniform(0, 0.1, 80)
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    config = load_config(init_config({"type": "file", "path": str(path)}, market="DE")).config
    spends = {channel.spend for channel in config.channels}
    assert spends == {"tv_spend", "search_spend", "radio_spend"}


@pytest.mark.parametrize(
    "name",
    [
        *("search_klickrate", "search_taux_de_clic", "search ctr", "search_posizione_media"),
        *("tv_marktanteil", "radio_udzial", "tv_viewers_share", "search_engagements"),
        *("tv_interaktionen", "radio_gemiddelde_positie", "search_cuota", "tv_frequentie"),
    ],
)
def test_rates_and_reactions_beside_a_spend_are_left_out(name: str, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    frame = healthy(6).assign(**{name: random.uniform(1, 4, 80).round(2)})
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    text = init_config({"type": "file", "path": str(path)}, market="DE")
    used = text.split("# Not used:")[0]
    assert name not in used
    assert name in text


@pytest.mark.parametrize(
    "name",
    [
        *("tv_reichweite", "tv_alcance", "tv_grps", "radio_zuschauer", "search_impressions"),
        *("tv_portee", "radio_copertura", "tv_bereik", "tv_zasieg", "tv_espectadores"),
    ],
)
def test_counts_beside_a_spend_are_its_exposure(name: str, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    frame = healthy(6).drop(columns="search_clicks")
    frame = frame.assign(**{name: random.integers(1000, 90000, 80)})
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    config = load_config(init_config({"type": "file", "path": str(path)}, market="DE")).config
    medium = name.split("_")[0]
    (channel,) = [channel for channel in config.channels if channel.exposure]
    assert (channel.name, channel.exposure) == (medium, name)


def test_a_frequency_of_a_numbered_channel_is_left_out(tmp_path: Path) -> None:
    frame = healthy(6).rename(columns={"tv_spend": "Channel3_spend"})
    frame["Channel3_frequency"] = np.random.default_rng(1).uniform(1, 4, 80).round(2)
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    text = init_config({"type": "file", "path": str(path)}, market="DE")
    assert "Channel3_frequency" not in text.split("# Not used:")[0]


def test_a_repeated_target_blocks(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    _long(healthy(5)).to_csv(path, index=False)
    config = load_config(
        {
            "version": 1,
            "market": "DE",
            "revision": "r1",
            "source": {"type": "file", "path": str(path)},
            "date": {"column": "date"},
            "target": {"column": "revenue"},
            "channels": [{"name": "all", "spend": "money_spend"}],
        }
    ).config
    verdict = check(extract(config, run_id="r", to=tmp_path / "s.parquet"), config)
    (finding,) = [f for f in verdict.checks if f.name == "repeated_values" and f.columns]
    assert finding.outcome is Outcome.BLOCK
    assert "aggregation: {revenue: max}" in finding.sentence


def _proposed(frame: pd.DataFrame, folder: Path) -> str:
    path = folder / "t.csv"
    frame.to_csv(path, index=False)
    return init_config({"type": "file", "path": str(path)}, market="DE")


def test_amounts_are_no_dates(tmp_path: Path) -> None:
    frame = healthy(1)
    frame["week_sales"] = frame.pop("revenue").clip(lower=0) % 9000 + 20_000
    config = load_config(_proposed(frame, tmp_path)).config
    assert config.target.column == "week_sales"


def test_a_date_that_no_format_reads_is_shown(tmp_path: Path) -> None:
    frame = healthy(1)
    frame["date"] = [f"KW {i}/21" for i in range(len(frame))]
    with pytest.raises(MMMError, match=r"no date format reads it, e\.g\. `KW 0/21` in row 2"):
        _proposed(frame, tmp_path)
