"""Nearest matches for error messages."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(value: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed value nearest to `value`, ignoring case, or None."""
    by_lower = {name.lower(): name for name in allowed}
    matches = get_close_matches(value.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[matches[0]] if matches else None


def did_you_mean(value: str, allowed: Iterable[str]) -> str:
    """Return ' Did you mean `x`?' with a leading space, or an empty string."""
    match = nearest(value, allowed)
    return f" Did you mean `{match}`?" if match else ""
