"""Find a date from which the level, or the effect of a channel, is different for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from job.posterior.baseline import whiten
from job.posterior.market import Array

_MARGIN = 0.1  # of the periods, at both ends, in which no break is looked for
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


def find_break(
    target: Array, columns: Sequence[Array], movers: Mapping[str, Array]
) -> Break | None:
    """Return the change with the largest t-value, None if there are too few periods.

    For each date, one more column is added to a linear model with autocorrelated noise: a mover
    that is zero before the date.

    Args:
        target: of shape (periods,).
        columns: what explains the target, each of shape (periods,).
        movers: what may change, by name, each of shape (periods,).
    """
    design, periods = np.column_stack(columns), len(target)
    basis, left = _without(design, target)
    if periods - basis.shape[1] < _LEAST_FREEDOM:
        return None
    correlation = np.corrcoef(left[1:], left[:-1])[0, 1] if left.any() else 0.0
    phi = float(np.clip(np.nan_to_num(correlation), 0, _HIGHEST_AUTOCORRELATION))
    basis, left = _without(whiten(design.T, phi).T, whiten(target, phi))
    freedom = periods - basis.shape[1] - 1
    margin = max(4, int(_MARGIN * periods))
    dates = np.unique(
        np.linspace(margin, periods - margin, min(_MOST_DATES, periods - 2 * margin)).astype(int)
    )
    found = []
    for name, mover in movers.items():
        steps = np.where(np.arange(periods) >= dates[:, None], mover, 0.0)
        whitened = whiten(steps, phi).T
        rest = whitened - basis @ (basis.T @ whitened)
        squares = (rest**2).sum(0)
        known = squares > _LEAST_LEFT * np.maximum((whitened**2).sum(0), 1e-300)
        change = np.where(known, rest.T @ left / np.maximum(squares, 1e-300), 0.0)
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
