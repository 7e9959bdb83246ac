"""Healthy tables of many kinds, as companies have them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_YEAR = {"day": 365, "week": 52, "month": 12}
_STEP = {"day": "D", "week": "7D", "month": "MS"}
_AMOUNTS = ("kpi", "mail")


@dataclass(frozen=True, kw_only=True)
class Healthy:
    """A table, its part of a config, and the day after its last period."""

    frame: pd.DataFrame
    setup: dict[str, Any]
    today: date


def healthy(frequency: str, layout: str, seed: int) -> Healthy:
    """Return a table with channels of all kinds, numbers of any size, seasons and promotions.

    `layout` is single (one row per period), daily (one row per day), campaigns (three rows per
    period) or markets (rows of two countries).
    """
    random = np.random.default_rng(seed)
    n = {"day": 500, "week": 160, "month": 62}[frequency]
    scale = 10 ** random.uniform(-1, 6)
    days = pd.date_range("2020-06-01", periods=n, freq=_STEP[frequency])
    kinds = ("always", "seasonal", "flighted", "sparse", "late", "growing")[: 2 + 4 * (n > 62)]
    frame = pd.DataFrame({"day": days})
    channels, effect = [], np.zeros(n)
    for kind in kinds:
        spend = _spend(kind, n, _YEAR[frequency], random) * scale
        frame[f"{kind}_cost"] = spend
        channel = {"name": kind, "spend": f"{kind}_cost"}
        if kind in ("always", "flighted"):
            frame[f"{kind}_views"] = np.ceil(spend / scale * 900 * random.lognormal(0, 0.1, n))
            channel["exposure"] = f"{kind}_views"
        channels.append(channel)
        effect += spend / spend.mean()
    promo = random.uniform(size=n) < 0.08
    season = 1 + 0.2 * np.sin(2 * np.pi * np.arange(n) / _YEAR[frequency])
    frame["kpi"] = (10 + effect / 2) * season * random.lognormal(0, 0.08, n) * (1 + 0.5 * promo)
    frame["mail"] = random.poisson(300, n).astype(float)
    frame["avg_price"] = random.normal(20, 1, n)
    frame["avg_temperature"] = 10 * season - 6 + random.normal(0, 3, n)
    frame["event"] = np.where(promo, "promo", "none")
    frame["remark"] = np.where(random.uniform(size=n) < 0.5, None, "x, y")
    amounts = [c for c in frame if c in _AMOUNTS or c.endswith(("_cost", "_views"))]
    today = (days[-1] + days.freq).date()
    setup: dict[str, Any] = {
        "date": {"column": "day", "frequency": frequency},
        "target": {"column": "kpi"},
        "channels": channels,
        "organic": ["mail"],
        "context": ["avg_price", "avg_temperature"],
        "factors": ["event"],
        "gate": {"min_rows_per_driver": 5},
    }
    if layout == "daily":
        frame = _daily(frame, amounts, today)
    elif layout == "campaigns":
        shares = (0.5, 0.3, 0.2)
        frame = pd.concat([frame.assign(**{c: frame[c] * s for c in amounts}) for s in shares])
    elif layout == "markets":
        other = frame.assign(**{c: frame[c] * 3 for c in amounts}, country="AT")
        frame = pd.concat([frame.assign(country="DE"), other]).sort_values("day")
        setup["country_column"] = "country"
    return Healthy(frame=frame.reset_index(drop=True), setup=setup, today=today)


def _spend(kind: str, n: int, year: int, random: np.random.Generator) -> NDArray[Any]:
    base: NDArray[Any] = random.gamma(random.uniform(3, 12), 1, n)
    if kind == "seasonal":
        return base * (1 + 0.35 * np.sin(2 * np.pi * np.arange(n) / year)) ** 2
    if kind == "flighted":
        return np.where(np.arange(n) // max(2, n // 30) % 3 == 0, base, 0.0)
    if kind == "sparse":
        return np.where(random.uniform(size=n) < 0.4, base, 0.0)
    if kind == "late":
        return np.where(np.arange(n) > n // 3, base, 0.0)
    if kind == "growing":
        return base * np.linspace(1, 2.5, n) * np.where(np.arange(n) > n * 2 // 3, 1.3, 1)
    return base


def _daily(frame: pd.DataFrame, amounts: list[str], today: date) -> pd.DataFrame:
    days = pd.date_range(frame["day"].iloc[0], today, inclusive="left")
    position = frame["day"].searchsorted(days, side="right") - 1
    rows = frame.iloc[position].reset_index(drop=True)
    rows[amounts] = rows[amounts].div(np.bincount(position)[position], axis=0)
    return rows.assign(day=days)
