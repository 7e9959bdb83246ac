"""Find a date from which the level, or the effect of a channel, is different for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from job.posterior.baseline import make_baseline, season_and_trend, whiten
from job.posterior.market import Array, MarketData
from job.posterior.priors import Priors

LEVEL, ALL_MEDIA = " level", " all"  # names that no channel has: a column is stripped
Whole = npt.NDArray[np.int64]
_MARGIN = 0.1  # of the periods, at both ends, in which no break is looked for
_RECENT = (2, 8)  # periods since a recent change
_MOST_DATES = 200
_HIGHEST_AUTOCORRELATION = 0.9
_LEAST_LEFT = 1e-6  # of a column, after the others are taken out; less is rounding
_LEAST_FREEDOM = 20


@dataclass(frozen=True, kw_only=True)
class Break:
    """A change: what changes, from which period on, and its t-value.

    `change` is the new coefficient less the old one, as a multiple of the column.
    """

    name: str
    position: int
    score: float
    change: float


def lasting_change(market: MarketData, media: Mapping[str, Array]) -> Break | None:
    """Return the largest change of the level, of all paid media, or of one paid channel.

    `media` has the contribution of each medium, or its exposure, of shape (periods,).
    """
    columns = [*season_and_trend(market)[0], *market.baseline, *media.values()]
    dates = lasting_dates(market.periods)
    scaled = [_scaled(column) for column in columns]
    return find_break(market.target, scaled, _movers(market, media), dates)


def recent_change(market: MarketData, media: Mapping[str, Array]) -> Break | None:
    """Return the largest change in the last few periods; see `lasting_change`.

    A few periods say little, so trend, season and context are kept near 0 by the posterior's
    priors, or they would follow whatever happens at the end.
    """
    baseline = make_baseline(market, Priors())
    known = baseline.columns.shape[1] - market.paid  # without demand that follows the spends
    columns = [*baseline.columns[:, :known].T, *map(_scaled, media.values())]
    deviations = np.concatenate([baseline.deviations[0, :known], np.full(len(media), np.inf)])
    return find_break(
        market.target,
        columns,
        _movers(market, media),
        recent_dates(market.periods),
        deviations=deviations,
    )


def _movers(market: MarketData, media: Mapping[str, Array]) -> dict[str, Array]:
    paid = {name: media[name] for name in market.names[: market.paid]}
    everything = np.sum(list(paid.values()), axis=0) if paid else np.zeros(market.periods)
    return {LEVEL: np.ones(market.periods), ALL_MEDIA: everything, **paid}


def lasting_dates(periods: int) -> Whole:
    """Return the dates at which a lasting change is looked for: not in the first and last tenth."""
    margin = max(4, int(_MARGIN * periods))
    count = min(_MOST_DATES, periods - 2 * margin)
    return np.unique(np.linspace(margin, periods - margin, max(count, 0)).astype(int))


def recent_dates(periods: int) -> Whole:
    """Return the dates at which a recent change is looked for: the last few periods."""
    fewest, most = _RECENT
    return np.arange(max(periods - most, 0), periods - fewest + 1)


def find_break(
    target: Array,
    columns: Sequence[Array],
    movers: Mapping[str, Array],
    dates: Whole,
    *,
    deviations: Array | None = None,
) -> Break | None:
    """Return the change with the largest t-value, None if there are too few periods.

    For each date, one more column is added to a linear model with autocorrelated noise: a mover
    that is zero before the date.

    Args:
        target: of shape (periods,).
        columns: what explains the target, each of shape (periods,).
        movers: what may change, by name, each of shape (periods,).
        dates: the numbers of the first periods of a change.
        deviations: prior standard deviations of the columns' coefficients, in units of the noise,
            infinite without a prior; of shape (columns,).
    """
    design, periods = np.column_stack(columns), len(target)
    basis, left = _without(design, target)
    if periods - basis.shape[1] < _LEAST_FREEDOM or not dates.size:
        return None
    correlation = np.corrcoef(left[1:], left[:-1])[0, 1] if left.any() else 0.0
    phi = float(np.clip(np.nan_to_num(correlation), 0, _HIGHEST_AUTOCORRELATION))
    # A prior is a row of its own: the coefficient, in units of its standard deviation, is near 0.
    known = np.zeros((0, design.shape[1])) if deviations is None else np.diag(1 / deviations)
    known = known[known.any(1)]
    basis, left = _without(
        np.vstack([whiten(design.T, phi).T, known]),
        np.concatenate([whiten(target, phi), np.zeros(len(known))]),
    )
    freedom = periods - (basis[:periods] ** 2).sum() - 1
    found = []
    for name, mover in movers.items():
        steps = np.where(np.arange(periods) >= dates[:, None], mover, 0.0)
        whitened = np.vstack([whiten(steps, phi).T, np.zeros((len(known), len(dates)))])
        rest = whitened - basis @ (basis.T @ whitened)
        squares = (rest**2).sum(0)
        clear = squares > _LEAST_LEFT * np.maximum((whitened**2).sum(0), 1e-300)
        change = np.where(clear, rest.T @ left / np.maximum(squares, 1e-300), 0.0)
        error = np.maximum(left @ left - change**2 * squares, 1e-300) / freedom
        scores = change * np.sqrt(squares / error)
        worst = int(np.abs(scores).argmax())
        found.append(
            Break(
                name=name,
                position=int(dates[worst]),
                score=float(abs(scores[worst])),
                change=float(change[worst]),
            )
        )
    return max(found, key=lambda one: one.score, default=None)


def _without(design: Array, target: Array) -> tuple[Array, Array]:
    """Return an orthonormal basis of the design, and what it leaves of the target."""
    vectors, values, _ = np.linalg.svd(design, full_matrices=False)
    basis = vectors[:, values > 1e-9 * values[0]]
    return basis, target - basis @ (basis.T @ target)


def _scaled(column: Array) -> Array:
    """Return a column with the largest size 1, so that rounding does not depend on its unit."""
    largest = float(np.abs(column).max())
    return column / largest if largest > 0 else column
