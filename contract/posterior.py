"""Settings of the posterior: what it assumes before it sees the data."""

from __future__ import annotations

from pydantic import Field, StrictBool, StrictFloat, StrictInt

from contract.base import Strict


class PosteriorPriors(Strict):
    """What the posterior assumes before it sees the data."""

    typical_share: StrictFloat = Field(
        default=0.2,
        gt=0,
        le=0.9,
        description="Share of the target that all paid media bring if every ROAS is typical.",
    )
    media_share: StrictFloat = Field(
        default=0.4,
        gt=0,
        le=0.9,
        description="Largest plausible share of the target that all paid media bring: the standard "
        "deviation of a half-normal distribution.",
    )
    roas_level: StrictFloat = Field(
        default=0.7,
        gt=0,
        le=3,
        description="Uncertainty of the typical ROAS: the standard deviation of its logarithm.",
    )
    roas_spread: StrictFloat = Field(
        default=0.7,
        gt=0,
        le=3,
        description="How much the channels' ROAS differ: the standard deviation of their logarithms"
        " is half-normal with this standard deviation.",
    )
    no_effect: StrictFloat = Field(
        default=0.08, gt=0, lt=1, description="Probability that a channel has no effect."
    )
    unseen_demand: StrictFloat = Field(
        default=0.5,
        gt=0,
        le=3,
        description="How much spend may follow demand that no column measures, in units of the "
        "noise; it counts only where the noise is autocorrelated.",
    )


class Posterior(Strict):
    """The posterior of ROAS or CPA per channel, beside the search."""

    enabled: StrictBool = Field(default=True, description="Whether to draw from the posterior.")
    sweeps: StrictInt = Field(
        default=1000,
        ge=60,
        le=20_000,
        description="Number of sweeps of each chain; the first third is not kept.",
    )
    priors: PosteriorPriors = PosteriorPriors()
