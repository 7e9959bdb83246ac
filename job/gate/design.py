"""Checks of the model's design: enough rows, drivers that can be told apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.config import Frequency
from contract.training import ProphetVar
from job.gate.data import Data
from job.gate.level_shifts import mended
from job.gate.verdict import Finding, Outcome, count, have, names, passed

_SAME = 0.999  # correlation from which on two columns say the same
_YEAR = {Frequency.DAY: 365, Frequency.WEEK: 52, Frequency.MONTH: 12}


def few_rows(data: Data) -> Iterator[Finding]:
    """There are enough periods to model."""
    rows = _rows(data)
    if not rows:
        return  # told by `window`
    if rows < data.gate.min_rows:
        yield Finding(
            name="few_rows",
            outcome=Outcome.BLOCK,
            figure=rows,
            threshold=data.gate.min_rows,
            sentence=f"there {have(rows, 'is', 'are')} {count(rows, data.period)}; at least "
            f"{data.gate.min_rows} are needed (`gate.min_rows`): widen the date window",
        )
    else:
        yield passed(
            "few_rows", f"{count(rows, data.period)}", figure=rows, threshold=data.gate.min_rows
        )


def _rows(data: Data) -> int:
    """Periods in the modelling window."""
    return int(np.count_nonzero(data.inside))


def short_history(data: Data) -> Iterator[Finding]:
    """There is a year at least: else yearly seasons cannot be learnt."""
    rows, year = len(data.frame), _YEAR[data.config.date.frequency]
    if data.gate.min_rows <= rows < year and ProphetVar.SEASON in data.config.training.prophet:
        yield Finding(
            name="short_history",
            outcome=Outcome.WARN,
            figure=rows,
            threshold=year,
            sentence=f"{count(rows, data.period)} are less than a year; leave `season` out of "
            "`training.prophet`, for it cannot be told from trend",
        )


def rows_per_driver(data: Data) -> Iterator[Finding]:
    """There are ten rows for each driver, the field's rule of thumb."""
    config = data.config
    drivers = len(config.channels) + sum(
        len(data.roles[role]) for role in ("organic", "context", "factor")
    )
    rows = _rows(data)
    if rows < data.gate.min_rows:
        return  # told already
    ratio = rows / drivers
    if ratio < data.gate.min_rows_per_driver:
        yield Finding(
            name="rows_per_driver",
            outcome=Outcome.WARN,
            figure=round(ratio, 2),
            threshold=data.gate.min_rows_per_driver,
            sentence=f"{count(rows, data.period)} for {count(drivers, 'driver')} are "
            f"{ratio:.1f} each; {data.gate.min_rows_per_driver:g} are advised: join or leave out "
            "drivers, or take more history",
        )
    else:
        sentence = f"{count(rows, data.period)} for {count(drivers, 'driver')}"
        threshold = data.gate.min_rows_per_driver
        yield passed("rows_per_driver", sentence, figure=ratio, threshold=threshold)


def target_in_driver(data: Data) -> Iterator[Finding]:
    """No driver is the target in other words: it would explain all, and media nothing."""
    highest = 0.0
    for column in _drivers(data):
        pair = _mended(data, [data.target, column])
        if len(pair) < data.gate.min_rows or not pair.std(axis=0).all():
            continue
        correlation = abs(float(np.corrcoef(pair, rowvar=False)[0, 1]))
        highest = max(highest, correlation)
        if correlation > _SAME:
            yield Finding(
                name="target_in_driver",
                outcome=Outcome.WARN,
                figure=round(correlation, 6),
                threshold=_SAME,
                columns=(column, data.target),
                sentence=f"`{column}` moves exactly as `{data.target}` does (correlation "
                f"{correlation:.5f}); if it follows from the target, leave it out",
            )
    if highest <= _SAME:
        sentence = "the highest correlation of a driver with the target"
        yield passed("target_in_driver", sentence, figure=highest, threshold=_SAME)


def _drivers(data: Data) -> list[str]:
    """Columns of numbers that the model sees: exposures where there are, else spends."""
    modelled = [channel.exposure or channel.spend for channel in data.config.channels]
    columns = [*modelled, *data.roles["organic"], *data.roles["context"]]
    return [column for column in columns if not np.isnan(data.values(column)).all()]


def collinearity(data: Data) -> Iterator[Finding]:
    """Drivers do not move together: else their effects cannot be told apart."""
    columns = _drivers(data)
    matrix = _mended(data, columns)
    if not matrix.size:
        return
    varied = matrix.std(axis=0) > 1e-9 * np.abs(matrix).max(axis=0)
    columns = [column for column, keep in zip(columns, varied, strict=True) if keep]
    matrix = matrix[:, varied]
    if matrix.shape[1] < 2 or len(matrix) <= matrix.shape[1] + 1:
        return
    vifs, condition = collinearity_figures(matrix)
    high = [i for i in np.argsort(-vifs) if vifs[i] > data.gate.max_vif]
    if not high and condition <= data.gate.max_condition_number:
        sentence = f"the highest VIF of {count(len(columns), 'driver')}; condition number "
        yield passed(
            "collinearity",
            f"{sentence}{condition:.3g}",
            figure=float(vifs.max()),
            threshold=data.gate.max_vif,
        )
        return
    worst = columns[int(np.argmax(vifs))]
    partner = _closest(matrix, int(np.argmax(vifs)))
    # columns beside those of the largest VIF are shown by name where their own VIF is high too
    shown = tuple(columns[i] for i in high) or (worst, columns[partner])
    identical = bool(vifs.max() >= 1e6)
    yield Finding(
        name="collinearity",
        outcome=Outcome.BLOCK if identical else Outcome.WARN,
        figure=round(float(min(vifs.max(), 1e9)), 2),
        threshold=data.gate.max_vif,
        columns=shown,
        sentence=f"{names(shown)} move together (VIF up to {min(vifs.max(), 1e9):.4g}, condition "
        f"number {min(condition, 1e9):.4g}); `{worst}` is nearest to `{columns[partner]}`: join "
        "them or leave one out",
    )


def _mended(data: Data, columns: list[str]) -> NDArray[Any]:
    """Columns side by side as they would be without breaks, in the periods that all have.

    Two columns with a wrong digit on the same day would seem to move together, and one wrong digit
    would hide that two columns do.
    """
    score = data.gate.outlier_score
    mend = [mended(data.values(c), data.breaks(c), score) for c in columns]
    matrix = np.column_stack(mend) if mend else np.empty((0, 0))
    whole: NDArray[Any] = matrix[~np.isnan(matrix).any(axis=1)]
    return whole


def collinearity_figures(matrix: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """(variance inflation factor per column, condition number) of a (rows, columns) matrix.

    Columns are centred and scaled first, so units and levels do not count.
    """
    scaled = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    singular = np.linalg.svd(scaled, compute_uv=False)
    condition = float(singular[0] / singular[-1]) if singular[-1] > 0 else np.inf
    vifs = np.empty(matrix.shape[1])
    for i in range(matrix.shape[1]):
        others = np.delete(scaled, i, axis=1)
        fitted = others @ np.linalg.lstsq(others, scaled[:, i], rcond=None)[0]
        left = float(np.sum((scaled[:, i] - fitted) ** 2)) / len(scaled)
        vifs[i] = 1 / max(left, 1e-12)
    return vifs, condition


def _closest(matrix: NDArray[Any], i: int) -> int:
    correlation = np.abs(np.corrcoef(matrix, rowvar=False)[i])
    correlation[i] = -1
    return int(np.argmax(correlation))


CHECKS = (few_rows, short_history, rows_per_driver, target_in_driver, collinearity)
