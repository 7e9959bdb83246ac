"""Fit PyMC-Marketing to a market, in its own environment: `python with_pymc.py MARKET.npz OUT.npy`.

As in the package's own quick start: geometric carry-over of 8 periods, logistic saturation, two
yearly waves, a trend column, default priors, default sampler.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from pymc_marketing.mmm import MMM, GeometricAdstock, LogisticSaturation


def main(market_file: str, out: str) -> None:
    """Write draws of ROAS, of shape (draws, paid media)."""
    with np.load(market_file, allow_pickle=False) as file:
        market = {name: file[name] for name in file.files}
    paid, periods = market["spend"].shape
    media = [f"medium_{number}" for number in range(paid)]
    columns = {"date": market["dates"].astype("datetime64[ns]"), "trend": np.arange(periods)}
    columns |= dict(zip(media, market["exposure"][:paid], strict=True))
    # Organic media have no spend: they are controls, beside the context.
    others = [*market["exposure"][paid:], *market["baseline"]]
    controls = [f"control_{number}" for number in range(len(others))]
    columns |= dict(zip(controls, others, strict=True))
    table = pd.DataFrame(columns)
    for name in [*controls, "trend"]:
        table[name] = table[name] / max(table[name].abs().max(), 1e-12)
    table = table[[name for name in table if name == "date" or table[name].nunique() > 1]]
    model = MMM(
        date_column="date",
        target_column="y",
        channel_columns=media,
        control_columns=[name for name in table if name in (*controls, "trend")],
        adstock=GeometricAdstock(l_max=8),
        saturation=LogisticSaturation(),
        yearly_seasonality=2,
    )
    seed = int(market["seed"])
    model.fit(table, pd.Series(market["target"], name="y"), random_seed=seed, progressbar=False)
    effects = model.data.get_contributions(original_scale=True)
    totals = effects["channels"].sum("date").stack(draws=("chain", "draw"))
    totals = totals.transpose("draws", "channel").sel(channel=media)
    np.save(out, np.asarray(totals) / market["spend"].sum(1))


if __name__ == "__main__":
    main(*sys.argv[1:])
