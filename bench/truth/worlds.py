"""Simulated markets with known ROAS, some of which the posterior's model describes wrongly.

Most worlds are a change of one market: five channels, four years of weeks, spends that share a
budget, follow the season and run in flights. The others are the example markets, and markets as
other authors simulate them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np
import pandas as pd

from bench.truth.authors import Weeks, amss, simmmulator
from bench.truth.series import WEEKS_A_YEAR, Array, Random, wander
from examples.markets import MARKETS
from examples.simulate import adstock, hill, simulate
from job.posterior.market import LiftTest, MarketData
from job.train.holidays import holidays_table

_BASE = 1e6


@dataclass(frozen=True)
class World:
    """A market whose truth is known.

    Attributes:
        data: the market.
        roas: the true ROAS of its paid channels.
        chasing: the channels whose spend follows demand that no column shows.
        alike: the channels that no method can tell apart, because they are bought together.
        parts: what each channel brings in each period, and `noise`; of the examples only.
    """

    data: MarketData
    roas: Array
    chasing: tuple[int, ...] = ()
    alike: tuple[int, ...] = ()
    parts: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a market is made.

    Attributes:
        share: the part of the base that media bring, as a sum over all channels.
        spread: standard deviation of the logarithms of the channels' ROAS.
        saturation: `hill`, `exponential`, `logarithm`.
        noise: standard deviation, as a share of the base.
        memory: autocorrelation of the noise.
        tails: degrees of freedom of Student noise; None for normal noise.
        useless: number of channels without effect.
        twins: whether the second channel is bought with the first.
        demand: how strongly the first channel follows demand that no column shows.
        level_shift: jump of the base at one date, as a share of it.
        drift: standard deviation of the logarithm of effects that drift.
        peaks: number of weeks in which a channel spends eight times as much.
        delayed: whether the effect comes one to four weeks later.
        tested: standard error of a lift test of the first channel, as a share of its lift.
    """

    weeks: int = 208
    channels: int = 5
    share: float = 0.25
    spread: float = 0.5
    saturation: str = "hill"
    noise: float = 0.03
    memory: float = 0.0
    tails: float | None = None
    useless: int = 0
    twins: bool = False
    demand: float = 0.0
    level_shift: float = 0.0
    drift: float = 0.0
    peaks: int = 0
    delayed: bool = False
    tested: float = 0.0


# Of an example, its frequency; of another author's market, its simulator.
WORLDS: dict[str, Recipe | str | Callable[[Random], Weeks]] = {
    "example": "week",
    "daily": "day",
    "wide": Recipe(spread=1.0),
    "exponential": Recipe(saturation="exponential"),
    "logarithm": Recipe(saturation="logarithm"),
    "delayed": Recipe(delayed=True, memory=0.5, useless=1),
    "noisy": Recipe(noise=0.09),
    "heavy tails": Recipe(tails=3, noise=0.05),
    "level shift": Recipe(level_shift=0.08),
    "twins": Recipe(channels=8, twins=True),
    "useless": Recipe(useless=1),
    "demand": Recipe(demand=1.0),
    "two years": Recipe(weeks=104, channels=7, noise=0.04),
    "20 channels": Recipe(channels=20, share=0.35),
    "drift": Recipe(drift=0.3, tails=4),
    "peaks": Recipe(peaks=3),
    "demand, one test": Recipe(demand=1.0, tested=0.15),
    "siMMMulator": simmmulator,
    "AMSS": amss,
}


def make_world(name: str, seed: int) -> World:
    """Return a world; the same name and seed give the same numbers."""
    recipe = WORLDS[name]
    if isinstance(recipe, str):
        return _example(recipe, seed)
    # The same market with and without a test.
    number = list(WORLDS).index(name.removesuffix(", one test"))
    random = np.random.default_rng([number, seed])
    if isinstance(recipe, Recipe):
        return _from_recipe(recipe, random, seed)
    return _from_weeks(recipe(random))


def _from_weeks(weeks: Weeks) -> World:
    data = MarketData(
        target=weeks.target,
        exposure=weeks.exposure,
        spend=weeks.spend,
        names=_names(len(weeks.spend)),
        baseline=weeks.context,
        periods_per_year=WEEKS_A_YEAR,
    )
    return World(data, weeks.roas)


def _names(channels: int) -> tuple[str, ...]:
    return tuple(f"channel {number}" for number in range(1, channels + 1))


def _from_recipe(recipe: Recipe, random: Random, seed: int) -> World:
    weeks, time = recipe.weeks, np.arange(recipe.weeks)
    phases = random.uniform(0, 2 * np.pi, 2)
    season = 0.12 * np.cos(2 * np.pi * time / WEEKS_A_YEAR + phases[0])
    season += 0.05 * np.cos(4 * np.pi * time / WEEKS_A_YEAR + phases[1])
    demand = wander(random, weeks, 0.06, 0.8) if recipe.demand else np.zeros(weeks)
    spend = _spends(recipe, random, season, demand)
    money = spend.sum(1)
    roas = np.exp(random.normal(0, recipe.spread, recipe.channels))
    roas[random.choice(recipe.channels, recipe.useless, replace=False)] = 0
    roas *= recipe.share * _BASE * weeks / (roas @ money)
    parts = [
        roas[channel] * money[channel] * _response(recipe, random, spend[channel])
        for channel in range(recipe.channels)
    ]
    base = _BASE * (1 + 0.1 * time / weeks + season + demand)
    base = base + _BASE * recipe.level_shift * (time > random.uniform(0.4, 0.7) * weeks)
    context = wander(random, weeks, 1.0, 0.5)
    target = base + np.sum(parts, axis=0) + 0.03 * _BASE * context
    target = target + _BASE * recipe.noise * _noise(recipe, random)
    data = MarketData(
        target=target,
        exposure=spend,
        spend=spend,
        names=_names(recipe.channels),
        baseline=context[None],
        periods_per_year=WEEKS_A_YEAR,
        tests=(_lift_test(recipe, parts[0], seed),) if recipe.tested else (),
    )
    return World(data, roas, (0,) if recipe.demand else (), (0, 1) if recipe.twins else ())


def _lift_test(recipe: Recipe, effect: Array, seed: int) -> LiftTest:
    """Return a test of eight weeks of the first channel, in the third year."""
    periods = np.zeros(recipe.weeks)
    periods[120:128] = 1
    lift, error = float(effect @ periods), np.random.default_rng(seed).standard_normal()
    deviation = recipe.tested * lift
    return LiftTest(
        number=0,
        media=(0,),
        periods=periods,
        lift=lift + deviation * error,
        standard_error=deviation,
    )


def _spends(recipe: Recipe, random: Random, season: Array, demand: Array) -> Array:
    shared = wander(random, recipe.weeks, 0.15, 0.5)
    mix = np.maximum(random.dirichlet(np.full(recipe.channels, 2.0)), 0.03)
    rows = []
    for channel in range(recipe.channels):
        own = wander(random, recipe.weeks, random.uniform(0.3, 0.8), 0.5)
        spend = np.exp(random.uniform(0, 0.8) * season + shared + own)
        on_air = random.choice([1.0, 0.7, 0.5])
        if recipe.demand and channel == 0:
            spend *= np.exp(recipe.demand * demand / 0.06 * 0.3)
            on_air = 1.0
        spend *= _flights(random, recipe.weeks, on_air)
        if recipe.peaks and channel % 2 == 0:
            spend[random.choice(recipe.weeks, recipe.peaks, replace=False)] *= 8
        rows.append(spend / spend.sum() * mix[channel])
    if recipe.twins:
        near = rows[0] * np.exp(random.normal(0, 0.08, recipe.weeks))
        rows[1] = near / near.sum() * rows[1].sum()
    return np.array(rows) * recipe.share / 2 * _BASE * recipe.weeks / mix.sum()


def _response(recipe: Recipe, random: Random, spend: Array) -> Array:
    """Return the response of each week, which sums to 1."""
    carried = adstock(spend, random.uniform(0.05, 0.7))
    if recipe.delayed:
        carried = np.convolve(carried, [0.1, 0.3, 0.3, 0.2, 0.1])[: recipe.weeks]
    if recipe.saturation == "exponential":
        response = 1 - np.exp(-carried / np.percentile(carried, 70))
    elif recipe.saturation == "logarithm":
        response = np.log1p(carried / carried.mean())
    else:
        inflexion = random.uniform(0.2, 1.2) * carried.max()
        response = hill(carried, random.uniform(0.7, 2.6), inflexion)
    if recipe.drift:
        response = response * np.exp(wander(random, recipe.weeks, recipe.drift, 0.97))
    out: Array = response / response.sum()
    return out


def _noise(recipe: Recipe, random: Random) -> Array:
    if recipe.tails is not None:
        scale = np.sqrt(recipe.tails / (recipe.tails - 2))
        return np.asarray(random.standard_t(recipe.tails, recipe.weeks) / scale)
    return wander(random, recipe.weeks, 1.0, recipe.memory)


def _flights(random: Random, weeks: int, on_air: float) -> Array:
    flags: list[float] = []
    while len(flags) < weeks:
        on = int(random.integers(3, 8))
        flags += [1.0] * on + [0.0] * round(on * (1 - on_air) / on_air)
    return np.array(flags[:weeks])


def _example(frequency: str, seed: int) -> World:
    """Return one of the example markets, with another seed."""
    names = [name for name, market in MARKETS.items() if market.frequency == frequency]
    market = replace(MARKETS[names[seed % len(names)]], seed=1000 + seed)
    simulated = simulate(market)
    data, parts = simulated.data, simulated.contributions
    dates = pd.DatetimeIndex(data["DATE"])
    events = data["EVENTS"].to_numpy()
    table = holidays_table(
        market.name, dates[0].date(), dates[-1].date() + timedelta(days=market.days_per_period - 1)
    )
    period = (pd.DatetimeIndex(table["ds"]) - dates[0]).days // market.days_per_period
    inside = (period >= 0) & (period < market.periods)
    counts = [
        np.bincount(rows["period"], minlength=market.periods).astype(float)
        for _, rows in table[inside].assign(period=period[inside]).groupby("holiday")
    ]
    labels = [event.label for event in market.events]
    exposures = [c.exposure_column or c.spend_column for c in market.channels]
    world = MarketData(
        target=data["REVENUE"].to_numpy(dtype=float),
        exposure=data[[*exposures, "NEWSLETTER"]].to_numpy(dtype=float).T,
        spend=data[[c.spend_column for c in market.channels]].to_numpy(dtype=float).T,
        names=(*(c.name for c in market.channels), "NEWSLETTER"),
        baseline=np.array(
            [
                data["COMPETITOR_SALES"].to_numpy(dtype=float),
                *((events == label).astype(float) for label in labels),
                *counts,
            ]
        ),
        periods_per_year=WEEKS_A_YEAR if frequency == "week" else 365.25,
        weekday=dates.day_of_week.to_numpy() if frequency == "day" else None,
    )
    return World(
        world,
        np.array([channel.roas for channel in market.channels]),
        parts={
            name: parts[name].to_numpy(dtype=float)
            for name in (*(channel.name for channel in market.channels), "noise")
        },
    )
