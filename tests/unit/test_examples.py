"""Tests of the example data: the truth adds up, and the same seed gives the same numbers."""

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from contract.config import Config
from examples import generate
from examples.generate import daily, truth, write_files, write_warehouse
from examples.markets import MARKETS, Market
from examples.simulate import adstock, hill, simulate

ROOT = Path(generate.__file__).parents[1]
DATA = ROOT / "examples" / "data"
CONFIGS = ROOT / "examples" / "configs"
every_market = pytest.mark.parametrize("market", MARKETS.values(), ids=MARKETS)


def file_stem(market: Market) -> str:
    return f"{market.name.lower()}_{'weekly' if market.frequency == 'week' else 'daily'}"


@every_market
def test_contributions_sum_to_the_target(market: Market) -> None:
    simulation = simulate(market)
    total = simulation.contributions.drop(columns="DATE").sum(axis=1)
    np.testing.assert_allclose(total, simulation.data["REVENUE"], rtol=1e-12)


@every_market
def test_contribution_is_the_formula_and_roas_is_the_parameter(market: Market) -> None:
    simulation = simulate(market)
    for channel in market.channels:
        exposure = simulation.data[channel.exposure_column or channel.spend_column].to_numpy()
        carried = adstock(exposure.astype(float), channel.theta)
        effect = simulation.coefficients[channel.name] * hill(
            carried, channel.alpha, channel.gamma * carried.max()
        )
        np.testing.assert_allclose(effect, simulation.contributions[channel.name], rtol=1e-12)
        roas = effect.sum() / simulation.data[channel.spend_column].sum()
        assert roas == pytest.approx(channel.roas, rel=1e-12)


@every_market
def test_truth_of_a_market(market: Market) -> None:
    simulation = simulate(market)
    facts = truth(simulation)
    shares = [component["share"] for component in facts["components"].values()]
    assert sum(shares) == pytest.approx(1, abs=1e-4)
    totals = sum(component["total"] for component in facts["components"].values())
    assert totals + facts["noise"]["total"] == pytest.approx(facts["target"], rel=1e-9)
    channels = facts["channels"].values()
    assert sum(c["effect_share"] for c in channels) == pytest.approx(1, abs=1e-4)
    assert sum(c["spend_share"] for c in channels) == pytest.approx(1, abs=1e-4)
    for name, channel in facts["channels"].items():
        assert channel["contribution"] == facts["components"][name]["total"]
        assert channel["contribution"] / channel["spend"] == pytest.approx(
            channel["roas"], rel=1e-5
        )
    assert facts["noise"]["r2_of_truth"] > 0.95


def test_truth_of_a_window_counts_only_the_window() -> None:
    simulation = simulate(MARKETS["DE"])
    dates = simulation.data["DATE"]
    first = truth(simulation, end=dates[99])
    second = truth(simulation, start=dates[100])
    whole = truth(simulation)
    assert (first["periods"], second["periods"]) == (100, 108)
    for part in ("spend", "contribution"):
        both = first["channels"]["tv"][part] + second["channels"]["tv"][part]
        assert both == pytest.approx(whole["channels"]["tv"][part], abs=0.05)


@every_market
def test_same_seed_same_numbers_and_other_seed_others(market: Market) -> None:
    pd.testing.assert_frame_equal(simulate(market).data, simulate(market).data)
    other = Market(**{**vars(market), "seed": market.seed + 1})
    assert not simulate(other).data["REVENUE"].equals(simulate(market).data["REVENUE"])


@every_market
def test_committed_files_are_the_generators(market: Market) -> None:
    simulation = simulate(market)
    committed = pd.read_csv(DATA / f"{file_stem(market)}.csv", parse_dates=["DATE"])
    # The last digits of exp and log differ between machines, so cents may.
    pd.testing.assert_frame_equal(
        committed, simulation.data, check_dtype=False, rtol=1e-9, atol=1.01
    )
    facts = json.loads((DATA / f"{file_stem(market)}_truth.json").read_text())
    for name, channel in truth(simulation)["channels"].items():
        for figure in ("spend", "contribution", "roas", "effect_share"):
            assert facts["channels"][name][figure] == pytest.approx(channel[figure], rel=1e-4)


def test_committed_files_are_small() -> None:
    assert sum(file.stat().st_size for file in DATA.iterdir()) < 300_000


def test_written_files_are_the_same_twice(tmp_path: Path) -> None:
    once, twice = write_files(tmp_path / "a"), write_files(tmp_path / "b")
    assert [p.read_bytes() for p in once] == [p.read_bytes() for p in twice]
    assert {p.name for p in once} == {p.name for p in DATA.iterdir()}


@every_market
def test_spend_and_exposure_agree(market: Market) -> None:
    data = simulate(market).data
    for channel in market.channels:
        if channel.exposure_column is None:
            continue
        spend, exposure = data[channel.spend_column], data[channel.exposure_column]
        assert ((spend > 0) == (exposure > 0)).all()
        assert spend.corr(exposure) > 0.95
    spends = data[[channel.spend_column for channel in market.channels]]
    assert (spends >= 0).all(axis=None)
    off_diagonal = spends.corr().to_numpy()[np.triu_indices(len(market.channels), 1)]
    assert np.abs(off_diagonal).max() < 0.7
    assert off_diagonal.mean() > 0


def test_warehouse_days_sum_to_the_weeks(tmp_path: Path) -> None:
    path = write_warehouse(tmp_path / "w.duckdb")
    write_warehouse(path)  # again: replaces, does not add
    with duckdb.connect(str(path), read_only=True) as connection:
        table = connection.sql("SELECT * FROM mmm.daily").df()
    assert set(table["COUNTRY"]) == set(MARKETS)
    weekly = simulate(MARKETS["DE"]).data.set_index("DATE")
    days = table[table["COUNTRY"] == "DE"].set_index("DATE")
    numbers = weekly.columns.drop("EVENTS")
    summed = days[numbers].resample("W-MON", closed="left", label="left").sum()
    np.testing.assert_allclose(summed, weekly[numbers], rtol=1e-9, atol=1e-6)
    assert (days["EVENTS"] == weekly["EVENTS"].reindex(days.index, method="ffill")).all()


def test_days_are_in_whole_cents_and_counts() -> None:
    days = daily(simulate(MARKETS["GB"]))
    assert len(days) == MARKETS["GB"].periods * 7
    for column, decimals in (("REVENUE", 2), ("TV_GRP", 1), ("SEARCH_CLICKS", 0)):
        scaled = days[column] * 10**decimals
        np.testing.assert_allclose(scaled, scaled.round(), atol=1e-4)
    assert (days.drop(columns=["COUNTRY", "DATE", "EVENTS"]) >= 0).all(axis=None)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_configs_are_valid_and_fit_the_data(path: Path) -> None:
    config = Config.model_validate(yaml.safe_load(path.read_text()))
    columns = {c for names in config.columns_by_role().values() for c in names}
    assert columns <= set(simulate(MARKETS[config.market]).data.columns)
    assert config.date.start == MARKETS[config.market].start
    if config.source.type == "file":
        assert (ROOT / config.source.path).is_file()


def test_every_source_kind_has_a_config() -> None:
    kinds = {yaml.safe_load(path.read_text())["source"]["type"] for path in CONFIGS.glob("*.yaml")}
    assert kinds == {"file", "duckdb", "snowflake", "bigquery"}
