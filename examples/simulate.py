"""Simulate one market: the data of a warehouse, and the contributions behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from examples.markets import Channel, Market
from job.train.holidays import holidays_table

Array = npt.NDArray[np.float64]
NO_EVENT = "no_event"
COMPETITOR_COEFFICIENT = -0.08  # change of the target per unit of the competitor's sales
NEWSLETTER_COEFFICIENT = 1.8  # change of the target per newsletter that is opened


@dataclass(frozen=True)
class Simulation:
    """Simulated market.

    Attributes:
        market: the parameters.
        data: one row per period: DATE, REVENUE, each channel's columns, NEWSLETTER,
            COMPETITOR_SALES, EVENTS. A model is trained on these.
        contributions: one row per period: DATE, one column per component in units of the target,
            and `noise`; a row sums to REVENUE.
        coefficients: per channel, the effect at full saturation.
        inflexions: per channel, the adstocked exposure at which the effect is half of that.
    """

    market: Market
    data: pd.DataFrame
    contributions: pd.DataFrame
    coefficients: dict[str, float]
    inflexions: dict[str, float]


def adstock(x: Array, theta: float) -> Array:
    """Return the geometric adstock of `x`: the sum of what remains of each period so far."""
    out = np.empty_like(x)
    carried = 0.0
    for index, value in enumerate(x):
        carried = value + theta * carried
        out[index] = carried
    return out


def hill(x: Array, alpha: float, inflexion: float) -> Array:
    """Return the Hill saturation of `x`: from 0 to below 1, and 0.5 at `inflexion`."""
    powered: Array = x**alpha
    saturated: Array = powered / (powered + inflexion**alpha)
    return saturated


def simulate(market: Market) -> Simulation:
    """Simulate `market`. The same market gives the same numbers."""
    rng = np.random.default_rng(market.seed)
    step = timedelta(days=market.days_per_period)
    dates = pd.DatetimeIndex([market.start + step * index for index in range(market.periods)])
    season = _season(market, dates)
    shared = _wander(rng, market.periods, 0.18)

    parts: dict[str, Array] = {
        "trend": market.base * (1 + market.trend * np.linspace(0, 1, market.periods)),
        "season": market.base * season,
    }
    if market.frequency == "day":
        weekly = np.asarray(market.weekday)[dates.day_of_week]
        parts["weekday"] = market.base * (weekly / np.mean(market.weekday) - 1)
    parts["holiday"] = market.base * _holidays(market, dates)
    labels, lifts = _events(market, dates)
    parts["EVENTS"] = market.base * lifts

    data = pd.DataFrame({"DATE": dates})
    for name, share, coefficient, spread in (
        ("COMPETITOR_SALES", -market.competitor, COMPETITOR_COEFFICIENT, 0.12),
        ("NEWSLETTER", market.newsletter, NEWSLETTER_COEFFICIENT, 0.30),
    ):
        level = market.base * share / coefficient
        wander = _wander(rng, market.periods, spread)
        wander += rng.normal(0, spread / 2, market.periods)
        data[name] = np.round(level * np.exp(wander))
        parts[name] = coefficient * data[name].to_numpy()

    coefficients, inflexions = {}, {}
    for channel in market.channels:
        spend, exposure = _media(rng, market, channel, season, shared)
        data[channel.spend_column] = spend
        if channel.exposure_column:
            data[channel.exposure_column] = exposure
        carried = adstock(exposure, channel.theta)
        inflexions[channel.name] = float(channel.gamma * carried.max())
        shape = hill(carried, channel.alpha, inflexions[channel.name])
        coefficients[channel.name] = float(channel.roas * spend.sum() / shape.sum())
        parts[channel.name] = coefficients[channel.name] * shape

    expected = np.sum(list(parts.values()), axis=0)
    revenue = np.round(expected + rng.normal(0, market.noise * market.base, market.periods), 2)
    data.insert(1, "REVENUE", revenue)
    data["EVENTS"] = labels
    contributions = pd.DataFrame({"DATE": dates, **parts, "noise": revenue - expected})
    return Simulation(market, data, contributions, coefficients, inflexions)


def _season(market: Market, dates: pd.DatetimeIndex) -> Array:
    """Return the yearly season: cosine and sine terms of one, two, ... cycles a year."""
    angle = 2 * np.pi * dates.day_of_year.to_numpy() / 365.25
    waves = [wave(angle * cycle) for cycle in (1, 2) for wave in (np.cos, np.sin)]
    season: Array = np.asarray(market.season) @ np.asarray(waves)
    return season


def _wander(rng: np.random.Generator, periods: int, spread: float) -> Array:
    """Return an AR(1) series around zero with the given standard deviation."""
    memory = 0.5
    shocks = rng.normal(0, spread * np.sqrt(1 - memory**2), periods)
    return adstock(shocks, memory)


def _holidays(market: Market, dates: pd.DatetimeIndex) -> Array:
    """Return the sum of the effects of the holidays that fall into each period."""
    table = holidays_table(market.name, dates[0].date(), dates[-1].date() + timedelta(days=6))
    effect = table["holiday"].map(market.holidays).fillna(0.0).to_numpy()
    days = (pd.DatetimeIndex(table["ds"]) - dates[0]).days.to_numpy()
    period = days // market.days_per_period
    inside = (period >= 0) & (period < market.periods)
    total: Array = np.zeros(market.periods)
    np.add.at(total, period[inside], effect[inside])
    return total


def _events(market: Market, dates: pd.DatetimeIndex) -> tuple[list[str], Array]:
    """Return the factor column and its effect; a period is an event's if its first day is."""
    labels, lifts = [NO_EVENT] * market.periods, np.zeros(market.periods)
    for index, day in enumerate(dates):
        for event in market.events:
            for month, first in event.starts:
                begin = pd.Timestamp(day.year, month, first)
                if begin <= day < begin + timedelta(days=event.days):
                    labels[index], lifts[index] = event.label, event.lift
    return labels, lifts


def _media(
    rng: np.random.Generator, market: Market, channel: Channel, season: Array, shared: Array
) -> tuple[Array, Array]:
    """Return spend in cents and the exposure that it bought (the spend if none is measured).

    Spends share a budget and follow demand, which correlates the channels as in real plans. Flights
    and random walks of each channel's own make them differ.
    """
    own = _wander(rng, market.periods, channel.volatility)
    level = np.exp(channel.follows_season * season + shared + own)
    spend = np.round(channel.mean_spend * level * _flights(rng, market, channel.on_air), 2)
    if channel.exposure_column is None:
        return spend, spend
    price = channel.cost_per_exposure * np.exp(rng.normal(0, 0.05, market.periods))
    decimals = 1 if channel.cost_per_exposure > 1 else 0
    return spend, np.round(spend / price, decimals)


def _flights(rng: np.random.Generator, market: Market, on_air: float) -> Array:
    """Return 1 where the channel runs, else 0, in flights of three to seven weeks."""
    if on_air >= 1:
        return np.ones(market.periods)
    per_week = 7 // market.days_per_period
    flags: list[float] = []
    while len(flags) < market.periods:
        on = int(rng.integers(3, 8)) * per_week
        off = max(per_week, round(on * (1 - on_air) / on_air))
        flags += [1.0] * on + [0.0] * off
    return np.asarray(flags[: market.periods])
