"""Evidence of a good result, in which a test changes what it is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from contract.config import Config
from examples.simulate import adstock
from job.posterior.market import MarketData
from job.verdict import Evidence, judge

PERIODS = 156
NAMES = ("tv", "search", "radio")


def channel(name: str, roas: tuple[float, float, float] = (1.8, 2.0, 2.2)) -> dict[str, Any]:
    """Return what the posterior says about a channel."""
    low, median, high = roas
    return {
        "name": name, "roas": {"low": low, "median": median, "high": high}, "no_effect": 0.0,
        "is_identified": True, "r_hat": 1.02,
    }  # fmt: skip


def good(**changes: Any) -> Evidence:
    """Return evidence whose verdict is PASS; `changes` replace parts of metrics.json."""
    random = np.random.default_rng(1)
    season = np.sin(2 * np.pi * np.arange(PERIODS) / 52.18)
    spend = np.exp(
        np.array([adstock(random.normal(0, 0.4, PERIODS), 0.5) for _ in NAMES]) + 0.2 * season
    )
    media = 2 * spend
    predicted = 20 + 3 * season + media.sum(0)
    actual = predicted + random.normal(0, 0.5, PERIODS)
    dates = pd.date_range("2023-01-02", periods=PERIODS, freq="7D")
    converged = {"converged": True, "last_median": 0.1}
    metrics = {
        "rsq_train": 0.9, "decomp_rssd": 0.05,
        "convergence": {"nrmse": converged, "decomp_rssd": converged},
        "channels": [
            {"name": name, "spend": money.sum(), "contribution": 2.1 * money.sum()}
            for name, money in zip(NAMES, spend, strict=True)
        ],
        "posterior": {
            "channels": [channel(name) for name in NAMES],
            "total": channel("all"), "pairs": [], "tests": [], "autocorrelation": 0.1,
        },
    }  # fmt: skip
    shares = pd.DataFrame([[0.3, 0.4, 0.3], [0.35, 0.35, 0.3]], columns=list(NAMES))
    return Evidence(
        metrics={**metrics, **changes},
        config=config(),
        market=MarketData(
            target=actual, exposure=spend, spend=spend, names=NAMES,
            baseline=np.empty((0, PERIODS)), periods_per_year=52.18,
        ),
        by_period=pd.DataFrame({"actual": actual, "predicted": predicted}, index=dates),
        media=pd.DataFrame(dict(zip(NAMES, media, strict=True)), index=dates),
        variables=6,
        winners=shares,
        lowest_errors=(0.040, 0.041, 0.042),
    )  # fmt: skip


def config(**changes: Any) -> Config:
    """Return the config of the evidence."""
    document = {
        "version": 1,
        "market": "DE",
        "revision": "r1",
        "source": {"type": "file", "path": "data.csv"},
        "date": {"column": "DATE", "frequency": "week"},
        "target": {"column": "REVENUE", "kind": "revenue"},
        "channels": [{"name": name, "spend": f"{name}_cost"} for name in NAMES],
    }
    return Config.model_validate({**document, **changes})


def with_posterior(**changes: Any) -> Evidence:
    """Return good evidence in which parts of the posterior are replaced."""
    evidence = good()
    assert evidence.posterior is not None
    return good(posterior={**evidence.posterior, **changes})


def with_channels(**changes: dict[str, Any]) -> Evidence:
    """Return good evidence in which the posterior's figures of channels are replaced."""
    channels = [{**channel(name), **changes.get(name, {})} for name in NAMES]
    return with_posterior(channels=channels)


def with_target(evidence: Evidence, target: Any, predicted: Any = None) -> Evidence:
    """Return the evidence with another target, and with another prediction of it."""
    by_period = evidence.by_period.assign(actual=target)
    if predicted is not None:
        by_period = by_period.assign(predicted=predicted)
    return replace(evidence, by_period=by_period, market=replace(evidence.market, target=target))


def found(evidence: Evidence) -> dict[str, str]:
    """Return the level of each check that did not pass."""
    return {f.check: f.level.value for f in judge(evidence).findings if f.level != "PASS"}
