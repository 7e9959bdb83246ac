"""Rolling validation: draw again from the periods before a cut, and predict the next ones.

Everything is fitted again for each fold: carry-over, saturation, effects and baseline. A prediction
knows the spends, the context and the calendar of the periods that it predicts, not their target.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from job.posterior.baseline import AUTOCORRELATIONS, make_baseline, whiten
from job.posterior.draws import Draws, draw
from job.posterior.market import Array, MarketData
from job.posterior.media import make_media
from job.posterior.priors import Priors
from job.posterior.summary import LEVEL, chosen_draws

_PREDICTIONS = 400  # draws that a prediction is made of
_LEAST_FIT = 0.5  # share of the periods that a fold must leave to fit


@dataclass(frozen=True, kw_only=True)
class Fold:
    """The errors of one prediction.

    Attributes:
        train: the number of periods that it was fitted to; it predicts the next `horizon` ones.
        rsq: R², relative to the mean of the predicted periods; None if they do not vary.
        nrmse: root mean squared error, divided by the range of the target in these periods.
        mape: mean absolute error, relative to the target where it is not 0.
        inside: the share of the periods whose target is within the 90% interval.
    """

    train: int
    rsq: float | None
    nrmse: float | None
    mape: float | None
    inside: float


def to_dict(folds: Sequence[Fold], horizon: int, dates: Sequence[str]) -> dict[str, Any] | None:
    """Return `validation` of metrics.json: every fold with its dates, and means; None without any.

    `dates` are the first days of the modelled periods.
    """
    if not folds:
        return None
    means = {}
    for name in (field.name for field in fields(Fold) if field.name != "train"):
        known = [value for fold in folds if (value := getattr(fold, name)) is not None]
        means[name] = float(np.mean(known)) if known else None
    by_fold = []
    for fold in folds:
        ends = {"start": dates[fold.train], "end": dates[fold.train + horizon - 1]}
        errors = {name: value for name, value in asdict(fold).items() if name != "train"}
        by_fold.append({"train_periods": fold.train, **ends, **errors})
    return {"folds": len(folds), "horizon": horizon, "mean": means, "by_fold": by_fold}


def validate(
    market: MarketData,
    priors: Priors,
    *,
    folds: int,
    horizon: int,
    seed: int,
    sweeps: int,
    check: Callable[[], None] = lambda: None,
) -> list[Fold]:
    """Predict the last `folds * horizon` periods, `horizon` at a time, the earliest first.

    A fold that leaves less than half of the periods to fit is left out. Each takes `sweeps`.
    """
    cuts = [market.periods - horizon * number for number in range(folds, 0, -1)]
    return [
        _fold(
            market,
            priors,
            cut,
            horizon,
            seed=seed,
            sweeps=sweeps,
            check=check,
        )
        for cut in cuts
        if cut >= _LEAST_FIT * market.periods
    ]


def _fold(
    market: MarketData,
    priors: Priors,
    cut: int,
    horizon: int,
    *,
    seed: int,
    sweeps: int,
    check: Callable[[], None],
) -> Fold:
    past = first_periods(market, cut)
    draws = draw(past, seed=seed, priors=priors, sweeps=sweeps, check=check)
    whole = first_periods(market, cut + horizon)
    predicted = predict(draws, past, whole, priors, random=np.random.default_rng(seed))
    return _errors(whole.target[cut:], predicted, cut)


def first_periods(market: MarketData, periods: int) -> MarketData:
    """Return the first periods of a market, with the lift tests that are within them."""
    before = market.exposure.shape[1] - market.periods
    return replace(
        market,
        target=market.target[:periods],
        exposure=market.exposure[:, : before + periods],
        spend=market.spend[:, :periods],
        baseline=market.baseline[:, :periods],
        weekday=None if market.weekday is None else market.weekday[:periods],
        tests=tuple(
            replace(test, periods=test.periods[:periods])
            for test in market.tests
            if not test.periods[periods:].any()
        ),
    )


def predict(
    draws: Draws,
    past: MarketData,
    whole: MarketData,
    priors: Priors,
    *,
    random: np.random.Generator,
) -> Array:
    """Return targets of the periods of `whole` after those of `past`, of shape (draws, periods)."""
    cut, chosen = past.periods, chosen_draws(draws, most=_PREDICTIONS)
    effect = _effects(draws, past, whole, chosen)
    rest = past.target - effect[:, :cut]
    baseline = make_baseline(whole, priors)
    columns, limits = baseline.columns, baseline.deviations
    out = effect[:, cut:].copy()
    autocorrelation = draws.autocorrelation.reshape(-1)[chosen]
    for place, phi in enumerate(AUTOCORRELATIONS):
        mine = np.flatnonzero(np.isclose(autocorrelation, phi))
        if not mine.size:
            continue
        design = whiten(columns[:cut].T, phi).T
        precision = np.where(np.isinf(limits[place]), 0.0, limits[place] ** -2.0)
        root = np.linalg.cholesky(design.T @ design + np.diag(precision))
        whitened = whiten(rest[mine], phi)
        inside = np.linalg.solve(root, design.T @ whitened.T)
        squares = np.maximum((whitened**2).sum(1) - (inside**2).sum(0), 1e-300)
        freedom = cut - int(np.isinf(limits[place]).sum())
        noise = np.sqrt(squares / random.chisquare(freedom, mine.size))
        shaken = inside + noise * random.standard_normal(inside.shape)
        level = (columns @ np.linalg.solve(root.T, shaken)).T
        last = rest[mine, -1] - level[:, cut - 1]
        for step in range(whole.periods - cut):
            last = phi * last + noise * random.standard_normal(mine.size)
            out[mine, step] += level[:, cut + step] + last
    return out


def _effects(
    draws: Draws, past: MarketData, whole: MarketData, chosen: npt.NDArray[np.int64]
) -> Array:
    """Return the effect of all media in the periods of `whole`, of shape (draws, periods)."""
    media = replace(make_media(whole), periods=past.periods)
    share = draws.share.reshape(-1, past.media)[chosen]
    parameters = draws.parameters.reshape(-1, *draws.parameters.shape[2:])[chosen]
    delay = draws.delay.reshape(-1, past.media)[chosen]
    out = np.zeros((len(chosen), whole.periods))
    for medium in range(past.media):
        shape = parameters[:, medium], delay[:, medium]
        saturated = media.saturation(medium, *shape, known=past.periods)
        sums = np.maximum(saturated[:, : past.periods].sum(1), 1e-300)
        out += saturated * (share[:, medium] * float(past.target.sum()) / sums)[:, None]
    return out


def _errors(actual: Array, predicted: Array, train: int) -> Fold:
    tail = (1 - LEVEL) / 2
    low, middle, high = np.quantile(predicted, [tail, 0.5, 1 - tail], axis=0)
    off = np.abs(middle - actual)
    squares, spread = float((off**2).sum()), float(((actual - actual.mean()) ** 2).sum())
    some = actual != 0
    return Fold(
        train=train,
        rsq=1 - squares / spread if spread > 0 else None,
        nrmse=float(np.sqrt((off**2).mean()) / np.ptp(actual)) if np.ptp(actual) > 0 else None,
        mape=float((off[some] / np.abs(actual[some])).mean()) if some.any() else None,
        inside=float(((low <= actual) & (actual <= high)).mean()),
    )
