"""Cloud Run's prices, from the dated file beside this one."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.resources import files

import yaml
from pydantic import Field, model_validator

from contract.base import Strict


class Rate(Strict):
    """Price of a second, in the currency of the file."""

    vcpu_second: float = Field(gt=0)
    gib_second: float = Field(gt=0)


class Prices(Strict):
    """`prices.yaml`."""

    date: date
    source: str
    currency: str
    minimum_seconds: float = Field(ge=0)
    tiers: dict[int, Rate] = Field(min_length=1)
    regions: dict[int, list[str]]

    @model_validator(mode="after")
    def _every_tier_has_a_price(self) -> Prices:
        if set(self.regions) - set(self.tiers):
            raise ValueError("`regions` names a tier without a price")
        return self

    @property
    def known_regions(self) -> list[str]:
        """All regions of the file."""
        return [region for regions in self.regions.values() for region in regions]

    def rate(self, region: str) -> Rate:
        """The price in a region; the dearest where the file does not know it."""
        for tier, regions in self.regions.items():
            if region in regions:
                return self.tiers[tier]
        return max(self.tiers.values(), key=lambda rate: rate.vcpu_second)

    def amount(self, seconds: float, *, vcpus: float, gib: float, region: str) -> float:
        """Price of one task that runs for so long."""
        rate = self.rate(region)
        billed = max(seconds, self.minimum_seconds)
        return billed * (vcpus * rate.vcpu_second + gib * rate.gib_second)


@cache
def load_prices() -> Prices:
    """The prices that this version was made with."""
    text = files("job.cost").joinpath("prices.yaml").read_text(encoding="utf-8")
    return Prices.model_validate(yaml.safe_load(text))
