"""Fit Meridian to a market, in its own environment: `python with_meridian.py MARKET.npz OUT.npy`.

As in the package's own "getting started": default priors, one geography, 10 chains of 1,000 draws.
Without an option, the baseline is one level for the whole time, which is the default of a national
model. With `--knots`, the package chooses how often it may change.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from meridian.analysis.analyzer import Analyzer
from meridian.data.data_frame_input_data_builder import DataFrameInputDataBuilder
from meridian.model.model import Meridian
from meridian.model.spec import ModelSpec


def main(market_file: str, out: str, *options: str) -> None:
    """Write draws of ROAS, of shape (draws, paid media)."""
    spec = ModelSpec(enable_aks="--knots" in options)
    with np.load(market_file, allow_pickle=False) as file:
        market = {name: file[name] for name in file.files}
    paid = len(market["spend"])
    days = pd.DatetimeIndex(market["dates"]).strftime("%Y-%m-%d")
    table = pd.DataFrame({"time": days, "kpi": market["target"]})
    exposures = _add(table, "media", market["exposure"][:paid])
    spends = _add(table, "spend", market["spend"])
    organic = _add(table, "organic", market["exposure"][paid:])
    controls = _add(table, "control", [*market["baseline"], np.arange(len(days))])
    builder = DataFrameInputDataBuilder(kpi_type="revenue")
    builder.with_kpi(table, kpi_col="kpi", time_col="time")
    builder.with_controls(table, control_cols=controls, time_col="time")
    builder.with_media(
        table,
        media_cols=exposures,
        media_spend_cols=spends,
        media_channels=exposures,
        time_col="time",
    )
    if organic:
        builder.with_organic_media(
            table, organic_media_cols=organic, organic_media_channels=organic, media_time_col="time"
        )
    model = Meridian(input_data=builder.build(), model_spec=spec)
    model.sample_posterior(
        n_chains=10, n_adapt=2000, n_burnin=500, n_keep=1000, seed=int(market["seed"])
    )
    analyzer = Analyzer(model_context=model.model_context, inference_data=model.inference_data)
    roas = np.asarray(analyzer.roi(use_posterior=True))
    np.save(out, roas.reshape(-1, paid))


def _add(table: pd.DataFrame, kind: str, rows: np.ndarray | list[np.ndarray]) -> list[str]:
    """Add the rows that are not constant as columns; return their names."""
    names = [f"{kind}_{number}" for number in range(len(rows))]
    for name, row in zip(names, rows, strict=True):
        table[name] = np.asarray(row, dtype=float)
    return [name for name in names if table[name].nunique() > 1]


if __name__ == "__main__":
    main(*sys.argv[1:])
