"""Find the time zones in which moments are midnight: 22:00 and 23:00 UTC are in Berlin."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

DAY = 1440  # minutes
NEARLY_ALL = 0.95  # share of rows at midnight that makes midnight the rule
_MIN_ROWS = 4
_LAST_DAY = date.max.toordinal()
# One zone per market first, then others with times of their own.
ZONES = {
    "Europe/Berlin": "DE",
    "Europe/Paris": "FR",
    "Europe/Madrid": "ES",
    "Europe/Rome": "IT",
    "Europe/Amsterdam": "NL",
    "Europe/Warsaw": "PL",
    "Europe/Vienna": "AT",
    "Europe/Zurich": "CH",
    "Europe/Brussels": "BE",
    "Europe/Stockholm": "SE",
    "Europe/Copenhagen": "DK",
    "Europe/Oslo": "NO",
    "Europe/Prague": "CZ",
    "Europe/London": "GB",
    "Europe/Dublin": "IE",
    "Europe/Lisbon": "PT",
    "Europe/Helsinki": "FI",
    "Europe/Athens": "GR",
    "Europe/Bucharest": "RO",
    "Europe/Istanbul": "TR",
    "America/New_York": "US",
    "America/Chicago": "",
    "America/Denver": "",
    "America/Los_Angeles": "",
    "America/Phoenix": "",
    "America/Toronto": "CA",
    "America/Halifax": "",
    "America/Mexico_City": "MX",
    "America/Bogota": "CO",
    "America/Santiago": "CL",
    "America/Sao_Paulo": "BR",
    "America/Argentina/Buenos_Aires": "AR",
    "Africa/Lagos": "NG",
    "Africa/Cairo": "EG",
    "Africa/Johannesburg": "ZA",
    "Asia/Jerusalem": "IL",
    "Asia/Riyadh": "SA",
    "Asia/Dubai": "AE",
    "Asia/Karachi": "PK",
    "Asia/Kolkata": "IN",
    "Asia/Bangkok": "TH",
    "Asia/Jakarta": "ID",
    "Asia/Singapore": "SG",
    "Asia/Shanghai": "CN",
    "Asia/Tokyo": "JP",
    "Asia/Seoul": "KR",
    "Australia/Adelaide": "",
    "Australia/Brisbane": "",
    "Australia/Perth": "",
    "Australia/Sydney": "AU",
    "Pacific/Auckland": "NZ",
}


@cache
def midnight(zone: str, day: date) -> int:
    """Return the time of a day's midnight in a zone, in minutes after midnight UTC."""
    offset = datetime.combine(day, time(), ZoneInfo(zone)).utcoffset() or timedelta()
    return round(-offset.total_seconds() / 60) % DAY


def midnight_zones(
    days: Sequence[tuple[date, date]],
    clocks: Sequence[tuple[int, int]],
    *,
    market: str,
    also: str = "UTC",
) -> tuple[str, ...]:
    """Return the zones in which the moments are midnight; UTC and the market's zone come first.

    >>> days = [(date(2024, 6, day), date(2024, 6, day)) for day in range(1, 9)]
    >>> midnight_zones(days, [(1320, 1320)] * 8, market="FR")[0]
    'Europe/Paris'

    Args:
        days: The first and the last day of each group of moments, in any zone.
        clocks: The earliest and the latest time of each group, in minutes after midnight UTC.
        market: The market's code, e.g. DE.
        also: A zone that is tried besides the known ones.
    """
    if len(days) < _MIN_ROWS:
        return ()
    order = sorted(ZONES, key=lambda zone: ZONES[zone] != market)
    names = dict.fromkeys(["UTC", also, *order])
    return tuple(zone for zone in names if _are_midnights(zone, days, clocks))


def _are_midnights(
    zone: str, days: Sequence[tuple[date, date]], clocks: Sequence[tuple[int, int]]
) -> bool:
    """Return whether nearly all moments are midnight in a zone."""
    missed, most = 0, (1 - NEARLY_ALL) * len(days)
    for (first, last), times in zip(days, clocks, strict=True):
        before, after = max(first.toordinal() - 1, 1), min(last.toordinal() + 1, _LAST_DAY)
        near = (date.fromordinal(before), first, last, date.fromordinal(after))
        allowed = {midnight(zone, day) for day in near}
        missed += not allowed.issuperset(times)
        if missed > most:
            return False
    return True


def moves_days(zone: str, true_zone: str, days: Sequence[date]) -> bool:
    """Return whether midnight in `true_zone` is another day in `zone`."""
    midnights = [datetime.combine(day, time(), ZoneInfo(true_zone)) for day in days]
    return any(m.astimezone(ZoneInfo(zone)).date() != m.date() for m in midnights)


def clock_text(minutes: int) -> str:
    """Return a time of day, e.g. 22:00."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
