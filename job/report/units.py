"""Amounts in words: money, the target, and ROAS or CPA, each with its unit."""

from __future__ import annotations

import math
from dataclasses import dataclass

from contract.amounts import amount, digits
from contract.roles import Target, TargetKind

NOTHING = "n/a"


@dataclass(frozen=True, kw_only=True)
class Units:
    """The units of a market.

    Attributes:
        label: the target's name.
        currency: the currency of spend, and of the target if it is revenue; "" if unknown.
        is_revenue: whether the target is revenue, so that channels have a ROAS and not a CPA.
    """

    label: str
    currency: str
    is_revenue: bool

    @classmethod
    def of(cls, target: Target) -> Units:
        """Return the units of a config's target."""
        return cls(
            label=target.label or target.column,
            currency=target.currency or "",
            is_revenue=target.kind is TargetKind.REVENUE,
        )

    @property
    def measure(self) -> str:
        """Return "ROAS" or "CPA"."""
        return "ROAS" if self.is_revenue else "CPA"

    @property
    def money_unit(self) -> str:
        """Return the currency, or "money" if it is unknown, for headings and axes."""
        return self.currency or "money"

    @property
    def target_unit(self) -> str:
        """Return the unit of the target, for headings and axes."""
        return self.money_unit if self.is_revenue else self.label

    @property
    def measure_unit(self) -> str:
        """Return what ROAS or CPA counts, as words."""
        if self.is_revenue:
            return f"{self.currency or 'units'} of {self.label} per {self.one_spent}"
        return f"{self.money_unit} of spend per conversion ({self.label})"

    @property
    def one_spent(self) -> str:
        """Return "EUR of spend", or the same without a currency."""
        return f"{self.currency or 'unit'} of spend"

    def money(self, value: float | None) -> str:
        """Return an amount of money with its unit, e.g. "1.2 million EUR"."""
        return _with_unit(_known(value), self.currency)

    def target(self, value: float | None) -> str:
        """Return an amount of the target with its unit."""
        if self.is_revenue:
            return self.money(value)
        return _with_unit(_known(value), self.label)

    def target_between(self, low: float, high: float) -> str:
        """Return an interval of an amount of the target; a size in words stands once."""
        first, second = amount(low), amount(high)
        size = second.partition(" ")[2]
        if size and first.endswith(f" {size}"):
            first = first.removesuffix(f" {size}")
        return f"{first} to {self.target(high)}"

    def performance(self, roas: float | None) -> str:
        """Return a ROAS, or the CPA that is its inverse, with three digits; CPA has its unit."""
        if roas is None:
            return NOTHING
        if self.is_revenue:
            return digits(roas)
        return _with_unit(digits(1 / roas), self.currency) if roas > 0 else "without limit"

    def between(self, low: float, high: float) -> str:
        """Return the interval of a ROAS as words; for CPA, the ends change places."""
        if self.is_revenue:
            return f"{digits(low)} to {digits(high)}"
        best = self.performance(high)
        if low <= 0:
            return f"{best} or more"
        return f"{digits(1 / high)} to {self.performance(low)}"


def _known(value: float | None) -> str:
    return NOTHING if value is None or math.isnan(value) else amount(value)


def _with_unit(text: str, unit: str) -> str:
    return f"{text} {unit}" if unit and text != NOTHING else text


def percent(share: float | None) -> str:
    """Return a share as a percentage with one decimal, e.g. "12.3%"."""
    if share is None or math.isnan(share):
        return NOTHING
    return f"{100 * (round(share, 3) + 0.0):,.1f}%"


def span(low: float, high: float) -> str:
    """Return an interval of a share, e.g. "10.0% to 12.3%"."""
    return f"{percent(low)} to {percent(high)}"
