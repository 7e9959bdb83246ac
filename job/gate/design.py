"""Checks of the model's design: enough rows, and drivers whose effects can be separated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.config import Frequency
from contract.training import ProphetVar
from job.gate.anomalies import without_anomalies
from job.gate.data import Data
from job.gate.verdict import Finding, Outcome, passed
from job.gate.wording import name_list, quantity

_MAX_CORRELATION = 0.999  # above it, two columns hold the same information
_PERIODS_PER_YEAR = {Frequency.DAY: 365, Frequency.WEEK: 52, Frequency.MONTH: 12}


def few_rows(data: Data) -> Iterator[Finding]:
    """The modelling window has enough periods."""
    rows = _rows_in_window(data)
    if not rows:
        return  # `window` reports it
    if rows < data.gate.min_rows:
        yield Finding(
            name="few_rows",
            outcome=Outcome.BLOCK,
            figure=rows,
            threshold=data.gate.min_rows,
            sentence=f"the modelling window has {quantity(rows, data.period)}; at least "
            f"{data.gate.min_rows} are needed (`gate.min_rows`): {_longer(data, rows)}",
        )
    else:
        sentence = quantity(rows, data.period)
        yield passed("few_rows", sentence, figure=rows, threshold=data.gate.min_rows)


def _longer(data: Data, rows: int) -> str:
    """Return how a window gets more periods."""
    if len(data.dates) > rows:
        return f"the data has {quantity(len(data.dates), data.period)}, so widen the window"
    finer = {"month": "week", "week": "day"}.get(data.period)
    other = f", or a finer `date.frequency` ({finer}) if the rows are finer" if finer else ""
    return f"load a longer history{other}"


def _rows_in_window(data: Data) -> int:
    return int(np.count_nonzero(data.in_window))


def short_history(data: Data) -> Iterator[Finding]:
    """The data covers a year, which a yearly season needs."""
    rows, year = len(data.frame), _PERIODS_PER_YEAR[data.config.date.frequency]
    if data.gate.min_rows <= rows < year and ProphetVar.SEASON in data.config.training.prophet:
        yield Finding(
            name="short_history",
            outcome=Outcome.WARN,
            figure=rows,
            threshold=year,
            sentence=f"the data has {quantity(rows, data.period)}, less than a year, so season and "
            "trend cannot be separated; remove `season` from `training.prophet`",
        )


def rows_per_driver(data: Data) -> Iterator[Finding]:
    """The modelling window has enough rows per driver."""
    config = data.config
    drivers = len(config.channels) + sum(
        len(data.roles[role]) for role in ("organic", "context", "factor")
    )
    rows = _rows_in_window(data)
    if rows < data.gate.min_rows:
        return  # `few_rows` reports it
    ratio = rows / drivers
    if ratio < data.gate.min_rows_per_driver:
        yield Finding(
            name="rows_per_driver",
            outcome=Outcome.WARN,
            figure=round(ratio, 2),
            threshold=data.gate.min_rows_per_driver,
            sentence=f"{quantity(rows, data.period)} for {quantity(drivers, 'driver')} is "
            f"{ratio:.1f} per driver; at least {data.gate.min_rows_per_driver:g} is recommended "
            "(`gate.min_rows_per_driver`): combine or remove drivers, or use a longer history",
        )
    else:
        sentence = f"{quantity(rows, data.period)} for {quantity(drivers, 'driver')}"
        threshold = data.gate.min_rows_per_driver
        yield passed("rows_per_driver", sentence, figure=ratio, threshold=threshold)


def target_in_driver(data: Data) -> Iterator[Finding]:
    """No driver is a copy of the target, which would leave nothing for media to explain."""
    highest = 0.0
    for column in _drivers(data):
        pair = _clean_matrix(data, [data.target, column])
        if len(pair) < data.gate.min_rows or not pair.std(axis=0).all():
            continue
        correlation = abs(float(np.corrcoef(pair, rowvar=False)[0, 1]))
        highest = max(highest, correlation)
        if correlation > _MAX_CORRELATION:
            yield Finding(
                name="target_in_driver",
                outcome=Outcome.WARN,
                figure=round(correlation, 6),
                threshold=_MAX_CORRELATION,
                columns=(column, data.target),
                sentence=f"`{column}` moves exactly like `{data.target}` (correlation "
                f"{correlation:.5f}); remove it if it is derived from the target",
            )
    if highest <= _MAX_CORRELATION:
        sentence = "the highest correlation between a driver and the target"
        yield passed("target_in_driver", sentence, figure=highest, threshold=_MAX_CORRELATION)


def _drivers(data: Data) -> list[str]:
    """Return the numeric columns of the model; a channel's exposure, if any, replaces its spend."""
    modelled = [channel.exposure or channel.spend for channel in data.config.channels]
    columns = [*modelled, *data.roles["organic"], *data.roles["context"]]
    return [column for column in columns if not np.isnan(data.values(column)).all()]


def collinearity(data: Data) -> Iterator[Finding]:
    """No drivers move together, so their effects can be separated."""
    columns = _drivers(data)
    matrix = _clean_matrix(data, columns)
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
        sentence = (
            f"the highest VIF of {quantity(len(columns), 'driver')}; "
            f"condition number {condition:.3g}"
        )
        figure, threshold = float(vifs.max()), data.gate.max_vif
        yield passed("collinearity", sentence, figure=figure, threshold=threshold)
        return
    worst = columns[int(np.argmax(vifs))]
    closest = columns[_most_correlated(matrix, int(np.argmax(vifs)))]
    shown = tuple(columns[i] for i in high) or (worst, closest)
    identical = bool(vifs.max() >= 1e6)
    yield Finding(
        name="collinearity",
        outcome=Outcome.BLOCK if identical else Outcome.WARN,
        figure=round(float(min(vifs.max(), 1e9)), 2),
        threshold=data.gate.max_vif,
        columns=shown,
        sentence=f"{name_list(shown)} move together (VIF up to {min(vifs.max(), 1e9):.4g}, "
        f"condition number {min(condition, 1e9):.4g}); `{worst}` is closest to `{closest}`: "
        "combine them or remove one",
    )


def _clean_matrix(data: Data, columns: list[str]) -> NDArray[Any]:
    """Return the columns side by side, without anomalies and without incomplete periods.

    Two columns with a wrong digit on the same day would seem to move together. One wrong digit
    would hide two columns that do move together.
    """
    score = data.gate.outlier_score
    clean = [without_anomalies(data.values(c), data.anomalies(c), score) for c in columns]
    matrix = np.column_stack(clean) if clean else np.empty((0, 0))
    complete: NDArray[Any] = matrix[~np.isnan(matrix).any(axis=1)]
    return complete


def collinearity_figures(matrix: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """Return (variance inflation factor per column, condition number) of a (rows, columns) matrix.

    Columns are centred and scaled first, so units and levels have no influence.
    """
    scaled = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    singular = np.linalg.svd(scaled, compute_uv=False)
    condition = float(singular[0] / singular[-1]) if singular[-1] > 0 else np.inf
    vifs = np.empty(matrix.shape[1])
    for i in range(matrix.shape[1]):
        others = np.delete(scaled, i, axis=1)
        fitted = others @ np.linalg.lstsq(others, scaled[:, i], rcond=None)[0]
        unexplained = float(np.sum((scaled[:, i] - fitted) ** 2)) / len(scaled)
        vifs[i] = 1 / max(unexplained, 1e-12)
    return vifs, condition


def _most_correlated(matrix: NDArray[Any], i: int) -> int:
    correlation = np.abs(np.corrcoef(matrix, rowvar=False)[i])
    correlation[i] = -1
    return int(np.argmax(correlation))


CHECKS = (few_rows, short_history, rows_per_driver, target_in_driver, collinearity)
