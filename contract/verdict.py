"""The verdict on a result: its levels, the thresholds of its checks, and its short form."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import Field, StrictFloat

from contract.base import Strict

_MAX_REPORTED = 20


class Level(StrEnum):
    """What a finding says about a result, from good to bad.

    PASS: it may be used. REVIEW: a person should read the finding first. FAIL: it may not be used.
    """

    PASS = "PASS"  # noqa: S105
    REVIEW = "REVIEW"
    FAIL = "FAIL"


class VerdictThresholds(Strict):
    """Thresholds of the checks after training; beyond one, the verdict is at least REVIEW."""

    min_r2: StrictFloat = Field(
        default=0.7,
        le=1,
        description="Lowest R² of the chosen model; below `training.min_r2` the verdict is FAIL.",
    )
    max_r2_drop: StrictFloat = Field(
        default=0.3,
        gt=0,
        description="Largest fall of R² from the training rows to the test rows, with "
        "`training.ts_validation`.",
    )
    max_prediction_error: StrictFloat = Field(
        default=0.15,
        gt=0,
        description="Largest mean absolute error of predictions, as a share of the target, with "
        "`outputs.validation`.",
    )
    max_negative_share: StrictFloat = Field(
        default=0.02, ge=0, le=1, description="Largest share of periods with a negative target."
    )
    min_rows_per_variable: StrictFloat = Field(
        default=8.0,
        ge=1,
        description="Fewest periods per variable of the model; below a third of it the verdict is "
        "FAIL.",
    )
    max_trial_spread: StrictFloat = Field(
        default=0.2,
        gt=0,
        description="Largest difference between the trials' lowest NRMSE, relative to the lowest "
        "of all, if not every error has converged by Robyn's rule.",
    )
    max_no_effect: StrictFloat = Field(
        default=0.3, gt=0, le=1, description="Largest probability that a channel has no effect."
    )
    max_interval_width: StrictFloat = Field(
        default=1.5,
        gt=0,
        description="Largest width of a channel's 90% interval of ROAS, as a multiple of its "
        "median.",
    )
    max_pair_width: StrictFloat = Field(
        default=0.6,
        gt=0,
        description="Largest width of the interval of a channel that cannot be separated from "
        "another one, as a multiple of its median.",
    )
    max_disagreement: StrictFloat = Field(
        default=2.0,
        gt=1,
        description="Largest factor between the ROAS of the chosen model and the median of the "
        "posterior, outside the posterior's interval.",
    )
    max_winner_spread: StrictFloat = Field(
        default=0.25,
        gt=0,
        le=1,
        description="Largest difference of a channel's effect share between the cluster winners.",
    )
    min_rssd: StrictFloat = Field(
        default=0.01,
        ge=0,
        description="Lowest DECOMP.RSSD; below it, effect shares repeat spend shares, and the "
        "posterior must agree with them by a factor of `max_disagreement`.",
    )
    max_lift_gap: StrictFloat = Field(
        default=2.0,
        gt=0,
        description="Largest difference between a lift test and the posterior without tests, in "
        "standard deviations.",
    )
    max_autocorrelation: StrictFloat = Field(
        default=0.5,
        gt=0,
        lt=1,
        description="Largest autocorrelation of the noise in the posterior.",
    )
    max_outlier_score: StrictFloat = Field(
        default=6.0,
        gt=1,
        description="Largest residual, in robust standard deviations of the residuals.",
    )
    max_break_score: StrictFloat = Field(
        default=6.0,
        gt=1,
        description="Largest t-value of a lasting change of the level or of a channel's effect.",
    )
    max_recent_score: StrictFloat = Field(
        default=4.1,
        gt=1,
        description="Largest t-value of a change of the level or of a channel's effect in the last "
        "two to eight periods.",
    )
    max_absorbed_share: StrictFloat = Field(
        default=0.9,
        gt=0,
        lt=1,
        description="Largest share of a spend's variance that trend and season explain.",
    )
    max_r_hat: StrictFloat = Field(
        default=1.3,
        gt=1,
        description="Largest R-hat of a channel's ROAS; 1 means that the chains agree.",
    )


def problems(verdict: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Return the findings above PASS of `verdict` in metrics.json, the most severe first."""
    return [f for f in (verdict or {}).get("findings", []) if f["level"] != Level.PASS]


def summary(verdict: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the short form for the run's event, None for a run without a verdict."""
    if verdict is None:
        return None
    return {"verdict": verdict["verdict"], "findings": problems(verdict)[:_MAX_REPORTED]}
