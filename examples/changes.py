"""Changes that put a fault into a table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pandas as pd

Change = Callable[[pd.DataFrame], pd.DataFrame]


def put(column: str, rows: slice | int, value: object) -> Change:
    """Write a value into some rows of a column."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.astype({column: object})
        frame.loc[frame.index[rows], column] = value
        return frame

    return change


def times(column: str, rows: slice, factor: float) -> Change:
    """Multiply some rows of a column."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy()
        frame.loc[frame.index[rows], column] *= factor
        return frame

    return change


def again(row: int, **values: object) -> Change:
    """Append a row again, with other values in some columns."""
    return lambda frame: pd.concat([frame, frame.iloc[[row]].assign(**values)])


def moved(rows: slice, days: int) -> Change:
    """Move the dates of some rows by days."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        dates = frame["day"].copy()
        dates.iloc[rows] = [day + timedelta(days=days) for day in dates.iloc[rows]]
        return frame.assign(day=dates)

    return change


def daily(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with one row per day, without day 403."""
    days = frame.loc[frame.index.repeat(7)].reset_index(drop=True)
    numbers = ["sales", "tv", "grp", "search", "mail"]
    days[numbers] /= 7
    first = frame["day"].iloc[0]
    days["day"] = [first + timedelta(days=i) for i in range(len(days))]
    return days.drop(index=403)


def regions(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows of three campaigns in each of two regions; `sales` is that of the region."""
    amounts = ["tv", "grp", "search", "mail"]
    parts = []
    for region in (0.4, 0.6):
        for campaign in (0.2, 0.3, 0.5):
            part = frame.assign(sales=(frame["sales"] * region).round(2))
            parts.append(part.assign(**{c: frame[c] * region * campaign for c in amounts}))
    return pd.concat(parts)


def in_utc(zone: str) -> Change:
    """Write each day as its midnight in a zone, e.g. 2024-01-07T23:00:00Z."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        moments = pd.to_datetime(frame["day"]).dt.tz_localize(zone).dt.tz_convert("UTC")
        return frame.assign(day=moments.dt.strftime("%Y-%m-%dT%H:%M:%SZ"))

    return change


def thousands(frame: pd.DataFrame) -> pd.DataFrame:
    """Write a column as texts with a point between thousands."""
    return frame.assign(mail=[f"{2 * v:,.0f}".replace(",", ".") for v in frame["mail"]])


def noisy(frame: pd.DataFrame) -> pd.DataFrame:
    """Let one spend follow another, with noise."""
    return frame.assign(mail=frame["search"] + np.random.default_rng(1).normal(0, 20, len(frame)))


def same(frame: pd.DataFrame) -> pd.DataFrame:
    """Change nothing: the fault is in the config."""
    return frame


def per_month(column: str) -> Change:
    """Write the sum of each month into all of its rows."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        months = pd.to_datetime(frame["day"]).dt.to_period("M")
        return frame.assign(**{column: frame.groupby(months)[column].transform("sum")})

    return change
