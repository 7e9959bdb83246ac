"""Roles of columns: the target, paid channels, and the aggregation of rows to periods."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from contract.base import Strict
from contract.text import Column, Currency, Label, Name
from contract.training import Sign


class Aggregation(StrEnum):
    """How a column's rows become one row per period."""

    SUM = "sum"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"


class TargetKind(StrEnum):
    """Revenue gives ROAS, conversions give CPA."""

    REVENUE = "revenue"
    CONVERSION = "conversion"


class Target(Strict):
    """What the model explains."""

    column: Column
    kind: TargetKind = TargetKind.REVENUE
    label: Label | None = Field(
        default=None,
        min_length=1,
        description="Name of the target in the report, e.g. net revenue; the column if left out.",
    )
    currency: Currency | None = Field(
        default=None,
        description="Currency of spend, and of the target if it is revenue, e.g. EUR.",
    )


class Channel(Strict):
    """A paid channel: its spend and, if available, its exposure (impressions, clicks, GRP)."""

    name: Name
    spend: Column
    exposure: Column | None = None
    sign: Sign = Sign.POSITIVE
