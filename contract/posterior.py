"""Settings of the posterior: what it assumes before it sees the data."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Self

from pydantic import Field, StrictBool, StrictFloat, StrictInt, model_validator

from contract.base import Strict
from contract.faults import Fault, refuse

LEAST_SWEEPS = 60


class ChannelPriors(Strict):
    """What is known about one channel before the data are seen, for example from a lift test."""

    roas: StrictFloat | None = Field(
        default=None,
        gt=0,
        description="Its most plausible ROAS, instead of the common prior; for revenue targets.",
    )
    cpa: StrictFloat | None = Field(
        default=None,
        gt=0,
        description="Its most plausible cost per conversion, instead of the common prior; for "
        "conversion targets.",
    )
    uncertainty: StrictFloat = Field(
        default=0.5,
        gt=0,
        le=3,
        description="Standard deviation of that ROAS or CPA, as a share of it.",
    )
    follows_demand: StrictBool | None = Field(
        default=None,
        description="Whether its spend follows demand that no column shows, as search often does; "
        "if left out, the data decide.",
    )

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.roas is not None and self.cpa is not None:
            refuse([Fault(at=("cpa",), problem="stands beside `roas`; allowed: one of the two")])
        return self


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
    channels: dict[str, ChannelPriors] = Field(
        default={}, description="What is known about single channels, by the channel's name."
    )


class Posterior(Strict):
    """The posterior of ROAS or CPA per channel, beside the search."""

    enabled: StrictBool = Field(default=True, description="Whether to draw from the posterior.")
    sweeps: StrictInt = Field(
        default=600,
        ge=LEAST_SWEEPS,
        le=20_000,
        description="Number of sweeps of each chain; the first third is not kept. Twice as many if "
        "the chains do not agree by then.",
    )
    test_error: StrictFloat = Field(
        default=0.15,
        gt=0,
        le=2,
        description="Standard error of the lift test that the report would recommend next, as a "
        "share of its lift.",
    )
    priors: PosteriorPriors = PosteriorPriors()

    @property
    def fold_sweeps(self) -> int:
        """Return the sweeps for each fold of the validation: a prediction needs fewer draws."""
        return max(self.sweeps // 3, LEAST_SWEEPS)


def prior_faults(posterior: Posterior, channels: Collection[str], kind: str) -> Iterator[Fault]:
    """Yield a fault for each prior of an unknown channel, or of the wrong measure.

    `kind` is that of the target: `revenue` or `conversion`.
    """
    wrong, right = ("cpa", "roas") if kind == "revenue" else ("roas", "cpa")
    for name, prior in posterior.priors.channels.items():
        at = ("posterior", "priors", "channels", name)
        if name not in channels:
            allowed = ", ".join(sorted(channels))
            yield Fault(at=at, problem=f"is no channel; allowed: {allowed}")
        elif getattr(prior, wrong) is not None:
            yield Fault(
                at=(*at, wrong),
                problem=f"is given, but the target is of the kind `{kind}`; allowed: `{right}`",
            )
