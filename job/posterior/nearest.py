"""Which model of the search is nearest to the posterior."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from job.posterior.draws import Draws
from job.posterior.market import MarketData

_LEAST = 0.05  # of the mean ROAS: smaller values count as this one, because logarithms are compared
_RIDGE = 0.05**2  # added to the variances, so that no direction is known exactly


@dataclass(frozen=True, kw_only=True)
class NearestModel:
    """A model of the search, and its distance to the posterior in standard deviations.

    `models` is the number of models that were compared, `best_distance` the distance of the model
    that the search chose.
    """

    model_id: str
    distance: float
    models: int
    best_distance: float


def nearest_model(tables: Path, draws: Draws, market: MarketData) -> NearestModel | None:
    """Compare the ROAS of all models in the table `decomposition` with the draws.

    The distance is Mahalanobis's, between logarithms of ROAS.

    Args:
        tables: the folder of the tables as CSV.
        draws: from the posterior.
        market: the data.

    Returns:
        None if no model has a ROAS of every channel.
    """
    frame = pd.read_csv(tables / "decomposition.csv", low_memory=False)
    paid = frame[frame["kind"] == "paid_media"]
    models = paid.pivot_table(index="model_id", columns="channel", values="roas")
    names = list(market.names[: market.paid])
    if not set(names) <= set(models.columns):
        return None
    models = models[names].dropna()
    if models.empty:
        return None
    roas = draws.roas(market).reshape(-1, market.paid)
    least = _LEAST * float(roas.mean())
    logarithms = np.log(np.maximum(roas, least))
    covariance = np.atleast_2d(np.cov(logarithms.T)) + _RIDGE * np.eye(len(names))
    away = np.log(np.maximum(models.to_numpy(dtype=float), least)) - logarithms.mean(0)
    distances = np.sqrt(np.einsum("mc,mc->m", away, np.linalg.solve(covariance, away.T).T))
    nearest = int(distances.argmin())
    best = paid.loc[paid["is_best_model"].astype(str).str.upper() == "TRUE", "model_id"].unique()
    of_best = distances[models.index.isin(best)]
    return NearestModel(
        model_id=str(models.index[nearest]),
        distance=float(distances[nearest]),
        models=len(models),
        best_distance=float(of_best[0]) if len(of_best) else float("nan"),
    )
