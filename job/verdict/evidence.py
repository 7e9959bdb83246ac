"""What a verdict is made from: the results of the search and the posterior, and the data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from contract.config import Config
from contract.verdict import VerdictThresholds
from job.posterior.market import Array, MarketData


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The results of one training.

    Attributes:
        metrics: the content of metrics.json, with `posterior` if there is one.
        config: the resolved config.
        market: the data, one row per modelled period.
        by_period: `actual` and `predicted` of the chosen model, a row per period.
        media: the contribution of each paid and organic medium, a column each, a row per period.
        variables: the number of the model's variables, without the intercept.
        winners: the effect share of each paid channel (columns) in each cluster winner (rows).
        lowest_errors: the lowest NRMSE of each trial.
    """

    metrics: Mapping[str, Any]
    config: Config
    market: MarketData
    by_period: pd.DataFrame
    media: pd.DataFrame
    variables: int
    winners: pd.DataFrame
    lowest_errors: Sequence[float]

    @property
    def limits(self) -> VerdictThresholds:
        """Return the thresholds of the checks."""
        return self.config.verdict

    @property
    def posterior(self) -> Mapping[str, Any] | None:
        """Return what the posterior says, None if there is none."""
        return self.metrics.get("posterior")

    @property
    def channels(self) -> Sequence[Mapping[str, Any]]:
        """Return the chosen model's figures of each paid channel."""
        channels: Sequence[Mapping[str, Any]] = self.metrics.get("channels") or []
        return channels

    @property
    def drawn(self) -> Sequence[Mapping[str, Any]]:
        """Return the posterior's figures of each paid channel; none without a posterior."""
        channels: Sequence[Mapping[str, Any]] = (self.posterior or {}).get("channels", [])
        return channels

    @cached_property
    def residuals(self) -> Array:
        """Return the target less the chosen model's prediction, of shape (periods,)."""
        return np.asarray(self.by_period["actual"] - self.by_period["predicted"], dtype=float)

    @property
    def measure(self) -> str:
        """Return "ROAS" or "CPA"."""
        return "ROAS" if self.config.target.kind.value == "revenue" else "CPA"

    @property
    def period(self) -> str:
        """Return "day", "week" or "month"."""
        return self.config.date.frequency.value

    def day(self, position: int) -> str:
        """Return the first day of a period, as text."""
        return str(pd.Timestamp(self.by_period.index[position]).date())


def read_evidence(output: Path, config: Config, market: MarketData) -> Evidence:
    """Read what R and the posterior wrote: metrics.json, and the tables as CSV."""
    metrics = json.loads((output / "metrics.json").read_text())
    rows = _read(output, "decomposition_by_date")
    rows = rows[rows["is_best_model"].astype(str).str.upper() == "TRUE"]
    media = rows[rows["kind"].isin(["paid_media", "organic"])]
    models = _read(output, "decomposition")
    winners = (metrics.get("models") or {}).get("cluster_winners") or []
    paid = models[(models["kind"] == "paid_media") & models["model_id"].isin(winners)]
    tried = _read(output, "pareto")
    return Evidence(
        metrics=metrics,
        config=config,
        market=market,
        by_period=rows.groupby("date")[["actual", "predicted"]].first().sort_index(),
        media=media.pivot_table(index="date", columns="channel", values="contribution"),
        variables=rows.loc[rows["kind"] != "intercept", "variable"].nunique(),
        winners=paid.pivot_table(index="model_id", columns="channel", values="effect_share"),
        lowest_errors=[float(x) for x in tried.groupby("trial")["nrmse"].min().dropna()],
    )


def _read(output: Path, table: str) -> pd.DataFrame:
    frame: pd.DataFrame = pd.read_csv(output / "tables" / f"{table}.csv", low_memory=False)
    return frame
