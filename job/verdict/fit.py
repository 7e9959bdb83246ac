"""Checks of the fit: in the training rows, in rows that were predicted, and the target itself."""

from __future__ import annotations

from collections.abc import Iterator

from contract.verdict import Level
from job.gate.wording import quantity
from job.verdict.evidence import Evidence
from job.verdict.finding import Finding, Measure

_FAILS_BELOW = 3  # this part of the fewest rows per variable


def fit(evidence: Evidence) -> Iterator[Finding | Measure]:
    """The chosen model fits the target."""
    r2, lowest = evidence.metrics.get("rsq_train"), evidence.limits.min_r2
    least = evidence.config.training.min_r2
    if r2 is not None and r2 >= max(lowest, least):
        yield Measure(r2, max(lowest, least))
        return
    fails = r2 is None or r2 < least
    yield Finding(
        check="fit",
        level=Level.FAIL if fails else Level.REVIEW,
        figure=r2,
        threshold=least if fails else lowest,
        sentence=f"the chosen model explains {_share(r2)} of the variance of "
        f"`{evidence.config.target.column}` (R²); at least {_share(least if fails else lowest)} is "
        f"needed (`{'training' if fails else 'verdict'}.min_r2`): check the target, add the "
        "drivers that move it, or search with more iterations",
    )


def prediction(evidence: Evidence) -> Iterator[Finding | Measure]:
    """The chosen model predicts rows that it was not fitted to."""
    metrics, limits = evidence.metrics, evidence.limits
    train, test = metrics.get("rsq_train"), metrics.get("rsq_test")
    if train is not None and test is not None:
        yield Measure(round(train - test, 4), limits.max_r2_drop)
    if train is not None and test is not None and train - test > limits.max_r2_drop:
        yield Finding(
            check="prediction",
            level=Level.FAIL if test < 0 else Level.REVIEW,
            figure=round(train - test, 4),
            threshold=limits.max_r2_drop,
            sentence=f"R² falls from {train:.2f} in the training rows to {test:.2f} in the test "
            f"rows; a fall of at most {limits.max_r2_drop:g} is usual (`verdict.max_r2_drop`): use "
            "fewer variables or a longer history",
        )
    validation = (metrics.get("validation") or {}).get("mean") or {}
    error = validation.get("mape")
    if error is not None:
        yield Measure(round(error, 4), limits.max_prediction_error)
    if error is not None and error > limits.max_prediction_error:
        yield Finding(
            check="prediction",
            level=Level.REVIEW,
            figure=round(error, 4),
            threshold=limits.max_prediction_error,
            sentence=f"predictions of {quantity(metrics['validation']['horizon'], evidence.period)}"
            f" are off by {error:.0%} on average; at most {limits.max_prediction_error:.0%} is "
            "usual (`verdict.max_prediction_error`): look for a change of the market, or use fewer "
            "variables",
        )


def target(evidence: Evidence) -> Iterator[Finding | Measure]:
    """The target counts sales, so that it is not below zero."""
    below = int((evidence.by_period["actual"] < 0).sum())
    share, highest = below / max(len(evidence.by_period), 1), evidence.limits.max_negative_share
    total = float(evidence.by_period["actual"].sum())
    yield Measure(round(share, 4), highest)
    if share > highest or total <= 0:
        column = evidence.config.target.column
        yield Finding(
            check="target",
            level=Level.FAIL if total <= 0 else Level.REVIEW,
            figure=round(share, 4),
            threshold=highest,
            sentence=f"`{column}` is below zero in {quantity(below, evidence.period)} "
            f"({share:.0%}), as a net flow or a change is; ROAS and shares of such a target have "
            "no meaning: use the gross amount, such as sales or sign-ups",
        )


def rows(evidence: Evidence) -> Iterator[Finding | Measure]:
    """The model has enough periods for its variables."""
    variables, count = evidence.variables, len(evidence.by_period)
    least = evidence.limits.min_rows_per_variable
    ratio = count / max(variables, 1)
    yield Measure(round(ratio, 2), least)
    if ratio < least:
        yield Finding(
            check="rows",
            level=Level.FAIL if ratio < least / _FAILS_BELOW else Level.REVIEW,
            figure=round(ratio, 2),
            threshold=least,
            sentence=f"{quantity(count, evidence.period)} for "
            f"{quantity(variables, 'variable')} is {ratio:.1f} per variable; at least {least:g} "
            "are needed (`verdict.min_rows_per_variable`): combine channels, remove drivers, or "
            "use a longer history",
        )


def _share(value: float | None) -> str:
    return "an unknown part" if value is None else f"{value:.0%}"


CHECKS = (fit, prediction, target, rows)
