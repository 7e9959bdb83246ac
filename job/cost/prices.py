"""Cloud Run's list prices, from `prices.yaml`."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.resources import files

import yaml
from pydantic import Field, model_validator

from contract.base import Strict


class Rate(Strict):
    """The prices of one second of a vCPU and of a GiB, in the file's currency."""

    vcpu_second: float = Field(gt=0)
    gib_second: float = Field(gt=0)


class Prices(Strict):
    """The content of `prices.yaml`."""

    date: date
    source: str
    currency: str
    minimum_seconds: float = Field(ge=0)
    tiers: dict[int, Rate] = Field(min_length=1)
    regions: dict[int, list[str]]

    @model_validator(mode="after")
    def _every_tier_has_a_price(self) -> Prices:
        if set(self.regions) - set(self.tiers):
            raise ValueError("`regions` has a tier that is not in `tiers`")
        return self

    @property
    def known_regions(self) -> list[str]:
        """Return all regions in the file."""
        return [region for regions in self.regions.values() for region in regions]

    def rate(self, region: str) -> Rate:
        """Return the rate in a region; for an unknown region the highest rate."""
        for tier, regions in self.regions.items():
            if region in regions:
                return self.tiers[tier]
        return max(self.tiers.values(), key=lambda rate: rate.vcpu_second)

    def amount(self, seconds: float, *, vcpus: float, gib: float, region: str) -> float:
        """Return the price of one task that runs for `seconds`."""
        rate = self.rate(region)
        billed = max(seconds, self.minimum_seconds)
        return billed * (vcpus * rate.vcpu_second + gib * rate.gib_second)


@cache
def load_prices() -> Prices:
    """Load the prices of this version."""
    text = files("job.cost").joinpath("prices.yaml").read_text(encoding="utf-8")
    return Prices.model_validate(yaml.safe_load(text))
