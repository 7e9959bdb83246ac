"""Turn a snapshot and its config into the numbers that the posterior is drawn from."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from contract.config import Config, Frequency, safe_name
from contract.training import ProphetVar
from job.posterior.experiments import lift_tests
from job.posterior.market import Array, MarketData
from job.posterior.priors import ChannelPrior, Priors
from job.sources import Snapshot
from job.train.holidays import UnknownCountryError, holidays_table
from job.train.job_file import holiday_country

_PERIODS_PER_YEAR = {Frequency.DAY: 365.25, Frequency.WEEK: 52.18, Frequency.MONTH: 12.0}
_PARAMETERS = {
    "thetas": "theta",
    "shapes": "shape",
    "scales": "scale",
    "alphas": "alpha",
    "gammas": "gamma",
}


def prepare(snapshot: Snapshot, config: Config) -> tuple[MarketData, list[str]]:
    """Return the market's data, and a sentence about each lift test that is left out.

    `config` names the annotations' columns too. Channels without spend in the window are left out.
    Gaps count as no media, and as the mean of a context column.
    """
    frame: pd.DataFrame = pq.read_table(snapshot.path).to_pandas()
    window, dates = _window(frame, snapshot, config)
    last = window.stop
    spending = [c for c in config.channels if _numbers(frame, c.spend)[window].sum() > 0]
    spends = [_numbers(frame, channel.spend)[window] for channel in spending]
    exposures = [channel.exposure or channel.spend for channel in spending]
    media = [_numbers(frame, column)[:last] for column in (*exposures, *config.organic)]
    names = (*(channel.name for channel in spending), *config.organic)
    baseline = [
        *_context(frame[window], config),
        *_factors(frame[window], config),
        *_holidays(dates, config),
    ]
    spend = np.maximum(np.array(spends).reshape(len(spends), len(dates)), 0)
    tests, left_out = lift_tests(
        config.calibration,
        names=names,
        starts=dates,
        end=pd.Timestamp(_next(dates[-1].date(), config.date.frequency)),
        spend=spend,
    )
    market = MarketData(
        target=_numbers(frame, config.target.column)[window],
        exposure=np.maximum(np.array(media).reshape(len(media), last), 0),
        spend=spend,
        names=names,
        baseline=np.array(baseline).reshape(len(baseline), len(dates)),
        periods_per_year=_PERIODS_PER_YEAR[config.date.frequency],
        weekday=dates.day_of_week.to_numpy() if config.date.frequency is Frequency.DAY else None,
        adstock=config.training.adstock.value,
        ranges=_ranges(config, dict(zip(names, (*exposures, *config.organic), strict=True))),
        tests=tests,
    )
    return market, left_out


def modelled_days(snapshot: Snapshot, config: Config) -> list[str]:
    """Return the first day of each modelled period, as YYYY-MM-DD."""
    frame = pq.read_table(snapshot.path, columns=[snapshot.date_column]).to_pandas()
    return [str(day.date()) for day in _window(frame, snapshot, config)[1]]


def _window(
    frame: pd.DataFrame, snapshot: Snapshot, config: Config
) -> tuple[slice, pd.DatetimeIndex]:
    """Return the rows that are modelled, and their dates."""
    dates = pd.DatetimeIndex(pd.to_datetime(frame[snapshot.date_column]))
    start = pd.Timestamp(config.date.window_start or snapshot.first_date)
    end = pd.Timestamp(config.date.window_end or snapshot.last_date)
    last = int(np.flatnonzero(dates <= end)[-1]) + 1
    first = int(np.flatnonzero(dates >= start)[0])
    return slice(first, last), dates[first:last]


def priors_of(config: Config) -> Priors:
    """Return the config's assumptions; a cost per conversion becomes conversions per unit."""
    settings = config.posterior.priors
    channels = {
        name: ChannelPrior(
            roas=1 / prior.cpa if prior.cpa else prior.roas,
            uncertainty=prior.uncertainty,
            follows_demand=prior.follows_demand,
        )
        for name, prior in settings.channels.items()
    }
    return Priors(**settings.model_dump(exclude={"channels"}), channels=channels)


def _numbers(frame: pd.DataFrame, column: str) -> Array:
    numbers: Array = np.nan_to_num(frame[safe_name(column)].to_numpy(dtype=float))
    return numbers


def _context(frame: pd.DataFrame, config: Config) -> list[Array]:
    columns = [column for column in config.context if column not in config.factors]
    series = [frame[safe_name(column)].astype(float) for column in columns]
    return [np.asarray(values.fillna(values.mean()).fillna(0), dtype=float) for values in series]


def _factors(frame: pd.DataFrame, config: Config) -> list[Array]:
    """Return a column per category; the most frequent one is part of the level."""
    columns: list[Array] = []
    for factor in config.factors:
        values = frame[safe_name(factor)].astype(str)
        for category in values.value_counts().index[1:]:
            columns.append((values == category).to_numpy(dtype=float))
    return columns


def _holidays(dates: pd.DatetimeIndex, config: Config) -> list[Array]:
    """Return a column per holiday: how many days of it are in each period."""
    if ProphetVar.HOLIDAY not in config.training.prophet:
        return []
    end = _next(dates[-1].date(), config.date.frequency)
    try:
        table = holidays_table(holiday_country(config), dates[0].date(), end)
    except UnknownCountryError:
        return []
    period = np.searchsorted(dates, pd.DatetimeIndex(table["ds"]), side="right") - 1
    inside = (period >= 0) & (pd.DatetimeIndex(table["ds"]) < pd.Timestamp(end))
    columns = []
    for _, rows in table[inside].assign(period=period[inside]).groupby("holiday"):
        counts = np.bincount(rows["period"], minlength=len(dates)).astype(float)
        columns.append(counts)
    return columns


def _next(day: date, frequency: Frequency) -> date:
    steps = {
        Frequency.DAY: pd.DateOffset(days=1),
        Frequency.WEEK: pd.DateOffset(weeks=1),
        Frequency.MONTH: pd.DateOffset(months=1),
    }
    return (pd.Timestamp(day) + steps[frequency]).date()


def _ranges(config: Config, columns: dict[str, str]) -> dict[str, dict[str, tuple[float, float]]]:
    """Return the user's own ranges by medium and parameter."""
    out: dict[str, dict[str, tuple[float, float]]] = {}
    media = {safe_name(column): name for name, column in columns.items()}
    for key, values in config.training.hyperparameters.items():
        column, _, kind = safe_name(key).rpartition("_")
        if kind in _PARAMETERS and column in media:
            span = (float(values[0]), float(values[-1]))
            out.setdefault(media[column], {})[_PARAMETERS[kind]] = span
    return out
