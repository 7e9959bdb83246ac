"""Write the example data: `python -m examples.generate --help`.

The weekly files and the true values of every market are small and committed in `examples/data`. The
DuckDB warehouse is made from the same numbers when it is needed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import duckdb
import numpy as np
import pandas as pd
import typer

from examples.markets import MARKETS, Market
from examples.simulate import Simulation, simulate
from job.train.holidays import holidays_table

HERE = Path(__file__).parent
WHOLE_UNITS = ("CLICKS", "IMPRESSIONS", "SALES", "NEWSLETTER")


def truth(
    simulation: Simulation, start: pd.Timestamp | None = None, end: pd.Timestamp | None = None
) -> dict[str, Any]:
    """Return the true values of a market, as JSON types.

    Args:
        simulation: the market.
        start: the first period that counts; the first of the data if None.
        end: the last period that counts; the last of the data if None.

    Returns:
        `components`: total of every component, and its share of the target without noise;
        `channels`: spend, contribution, ROAS, spend share and effect share among channels, adstock
        and saturation; `noise`: standard deviation, and the R2 of a perfect model.
    """
    market, data, parts = simulation.market, simulation.data, simulation.contributions
    inside = parts["DATE"].between(start or parts["DATE"].min(), end or parts["DATE"].max())
    data, parts = data[inside], parts[inside].drop(columns="DATE")
    totals = parts.drop(columns="noise").sum()
    expected = totals.sum()
    spends = {c.name: float(data[c.spend_column].sum()) for c in market.channels}
    effect = sum(totals[c.name] for c in market.channels)
    return {
        "market": market.name,
        "frequency": market.frequency,
        "seed": market.seed,
        "periods": len(data),
        "start": str(data["DATE"].iloc[0].date()),
        "end": str(data["DATE"].iloc[-1].date()),
        "target": round(float(data["REVENUE"].sum()), 2),
        "noise": {
            "total": round(float(parts["noise"].sum()), 2),
            "sd": round(float(parts["noise"].std()), 2),
            "r2_of_truth": round(
                1 - float((parts["noise"] ** 2).sum() / np.var(data["REVENUE"]) / len(data)), 4
            ),
        },
        "components": {
            name: {"total": round(float(total), 2), "share": round(float(total / expected), 6)}
            for name, total in totals.items()
        },
        "channels": {
            c.name: {
                "spend_column": c.spend_column,
                "exposure_column": c.exposure_column,
                "spend": round(spends[c.name], 2),
                "contribution": round(float(totals[c.name]), 2),
                "roas": round(float(totals[c.name]) / spends[c.name], 6),
                "spend_share": round(spends[c.name] / sum(spends.values()), 6),
                "effect_share": round(float(totals[c.name] / effect), 6),
                "adstock": {"type": "geometric", "theta": c.theta},
                "saturation": {
                    "alpha": c.alpha,
                    "gamma": c.gamma,
                    "inflexion": round(simulation.inflexions[c.name], 4),
                    "coefficient": round(simulation.coefficients[c.name], 2),
                },
            }
            for c in market.channels
        },
    }


def daily(simulation: Simulation) -> pd.DataFrame:
    """Return one row per day; the days of a week sum to the week's row, to the cent.

    The columns are COUNTRY and those of `Simulation.data`. EVENTS has the same value on all days of
    a week.
    """
    market, data = simulation.market, simulation.data
    if market.frequency == "day":
        return data.assign(COUNTRY=market.name)[["COUNTRY", *data.columns]]
    out = data.loc[data.index.repeat(7)].reset_index(drop=True)
    out["DATE"] += pd.to_timedelta(np.tile(np.arange(7), len(data)), unit="D")
    for column in data.columns.drop(["DATE", "EVENTS"]):
        out[column] = _split(data[column].to_numpy(), _decimals(column), market)
    out.insert(0, "COUNTRY", market.name)
    return out


def _split(weeks: np.ndarray[Any, np.dtype[np.float64]], decimals: int, market: Market) -> Any:
    """Split each week's figure by the market's weekday pattern, in whole smallest units."""
    units = np.rint(weeks * 10**decimals)
    bounds = np.cumsum(market.weekday) / np.sum(market.weekday)
    cumulated = np.rint(np.outer(units, bounds))
    cumulated[:, -1] = units
    days = np.diff(cumulated, axis=1, prepend=0.0)
    return (days / 10**decimals).ravel()


def _decimals(column: str) -> int:
    """Return a column's number of decimals: counts 0, GRP 1, money 2."""
    if column.endswith(WHOLE_UNITS):
        return 0
    return 1 if column.endswith("GRP") else 2


def write_warehouse(path: Path) -> Path:
    """Write table `mmm.daily` with every market's days into the DuckDB file `path`; return it."""
    rows = pd.concat([daily(simulate(market)) for market in MARKETS.values()], ignore_index=True)
    rows["DATE"] = rows["DATE"].dt.date
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS mmm")
        connection.register("example_rows", rows)
        connection.execute(
            "CREATE OR REPLACE TABLE mmm.daily AS FROM example_rows ORDER BY COUNTRY, DATE"
        )
    return path


def write_files(folder: Path) -> list[Path]:
    """Write each market's CSV and truth, the holidays, and FR as Parquet too; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for market in MARKETS.values():
        simulation = simulate(market)
        name = f"{market.name.lower()}_{'weekly' if market.frequency == 'week' else 'daily'}"
        table = folder / f"{name}.csv"
        _for_file(simulation.data).to_csv(table, index=False, date_format="%Y-%m-%d")
        facts = folder / f"{name}_truth.json"
        facts.write_text(json.dumps(truth(simulation), indent=2) + "\n", encoding="utf-8")
        written += [table, facts]
        if market.name == "FR":
            written.append(folder / f"{name}.parquet")
            simulation.data.to_parquet(written[-1], index=False)
    written.append(folder / "holidays.csv")
    pd.concat(
        holidays_table(m.name, m.start, simulate(m).data["DATE"].iloc[-1].date())
        for m in MARKETS.values()
    ).to_csv(written[-1], index=False)
    return written


def _for_file(data: pd.DataFrame) -> pd.DataFrame:
    """Return `data` with counts as integers, so that the CSV has no `.0`."""
    counts = [c for c in data.columns if c.endswith(WHOLE_UNITS)]
    return data.astype(dict.fromkeys(counts, "int64"))


def main(
    data: Annotated[
        Path | None, typer.Option(help="Folder for CSV, Parquet and true values.")
    ] = None,
    warehouse: Annotated[Path | None, typer.Option(help="DuckDB file for mmm.daily.")] = None,
) -> None:
    """Write the example data; without options, write the files in examples/data."""
    paths = write_files(data or HERE / "data") if data or not warehouse else []
    if warehouse:
        paths.append(write_warehouse(warehouse))
    for path in paths:
        typer.echo(f"{path.stat().st_size:>9,}  {path}")


if __name__ == "__main__":
    typer.run(main)
