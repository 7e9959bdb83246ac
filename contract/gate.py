"""Thresholds of the checks before training."""

from __future__ import annotations

from pydantic import Field, StrictFloat, StrictInt

from contract.base import Strict


class Gate(Strict):
    """Thresholds of the checks before training."""

    min_rows: StrictInt = Field(
        default=40, ge=10, description="Fewest periods in the modelling window."
    )
    min_rows_per_driver: StrictFloat = Field(
        default=10.0, ge=1, description="Fewest periods per variable of the model."
    )
    max_age_days: StrictInt | None = Field(
        default=None,
        ge=0,
        description="Greatest age of the newest row, in days; not checked if left out.",
    )
    max_missing_share: StrictFloat = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Largest share of missing values in a column that is filled (0 in summed "
        "columns, the previous value in all others) instead of blocking.",
    )
    usual_repeats: StrictFloat = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Share of days with several rows from which such days count as normal.",
    )
    min_active_share: StrictFloat = Field(
        default=0.05, ge=0, le=1, description="Smallest share of periods in which a channel is on."
    )
    max_levels: StrictInt = Field(
        default=20, ge=2, description="Largest number of levels of a factor."
    )
    max_zeros_at_end: StrictInt = Field(
        default=3,
        ge=1,
        description="Most zeros at the end of a series that has few zeros before.",
    )
    max_vif: StrictFloat = Field(
        default=10.0, gt=1, description="Largest variance inflation factor of a variable."
    )
    max_condition_number: StrictFloat = Field(
        default=100.0, gt=1, description="Largest condition number of the variables together."
    )
    max_mismatch_share: StrictFloat = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Largest share of periods with spend but no exposure, or the reverse.",
    )
    min_spend_share: StrictFloat = Field(
        default=0.005,
        ge=0,
        le=1,
        description="Smallest usual spend of a channel, as a share of the other channels' usual "
        "spend.",
    )
    max_implied_roas: StrictFloat = Field(
        default=100.0,
        gt=0,
        description="Largest ratio of the target to a spend below `min_spend_share`.",
    )
    outlier_score: StrictFloat = Field(
        default=8.0,
        gt=1,
        description="Distance from the median at which a value is an outlier, in robust standard "
        "deviations of the logarithm.",
    )
    level_shift_ratio: StrictFloat = Field(
        default=3.0, gt=1, description="Ratio at which a lasting change of a column's level counts."
    )
    max_history_change: StrictFloat = Field(
        default=0.1,
        ge=0,
        description="Largest relative change of a past quarter since the last accepted run.",
    )
