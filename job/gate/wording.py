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
