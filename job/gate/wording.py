"""Build the parts of a sentence that findings share: lists, quantities and verbs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

MAX_LISTED = 6


def joined(names: Iterable[str], limit: int = MAX_LISTED) -> str:
    """Return names as words, e.g. "A, B and C", or "A, B and 3 more"."""
    listed = list(names)
    if len(listed) > limit:
        return f"{', '.join(listed[:limit])} and {len(listed) - limit:,} more"
    return " and ".join([", ".join(listed[:-1])] * (len(listed) > 1) + listed[-1:])


def name_list(columns: Iterable[str], limit: int = MAX_LISTED) -> str:
    """Return names in backticks, e.g. "`A`, `B` and `C`", or "`A`, `B` and 3 more"."""
    return joined((f"`{column}`" for column in columns), limit)


def date_list(dates: Iterable[date], limit: int = MAX_LISTED) -> str:
    """Return sorted dates, e.g. "2024-01-01, 2024-01-08 and 3 more"."""
    listed = sorted(set(dates))
    shown = ", ".join(day.isoformat() for day in listed[:limit])
    return f"{shown} and {len(listed) - limit:,} more" if len(listed) > limit else shown


def quantity(number: int, unit: str) -> str:
    """Return a number with its unit, e.g. "1 week" or "2 weeks"."""
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"


def verb(number: int, singular: str = "has", plural: str = "have") -> str:
    """Return the form of a verb that agrees with a number."""
    return singular if number == 1 else plural


def amount(value: float) -> str:
    """Return an amount: with millions in words, or else to the unit or to three digits."""
    for size, name in ((1_000_000_000, "billion"), (1_000_000, "million")):
        if abs(value) >= size:
            return f"{value / size:,.1f} {name}"
    return f"{value:,.0f}" if abs(value) >= 100 else digits(value)


def digits(value: float) -> str:
    """Return a number to two decimals, or to two significant digits if it is below 0.1.

    Only 0 is shown as 0, so an amount that is small never looks like nothing.
    """
    if value == 0:
        return "0.00"
    return f"{value:,.2f}" if abs(value) >= 0.1 else f"{float(f'{value:.2g}'):.12f}".rstrip("0")
