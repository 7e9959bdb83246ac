"""The formats in which people write dates, and the days that texts write in a format."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta

EXCEL = "excel"  # days since 1899-12-30, as Excel counts them
FIRST_DAY, LAST_DAY = date(1678, 1, 1), date(2261, 12, 31)  # the range of nanoseconds
FORMATS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y-%m", "%Y/%m", "%Y%m", "%m/%Y", "%m.%Y"),
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y"),
    *("%d-%b-%Y", "%d %b %Y", "%d-%b-%y", "%d %b %y", "%d/%b/%Y", "%b-%Y", "%b %Y", "%b-%y"),
    *("%d %B %Y", "%B %d, %Y", "%b %d, %Y", "%B %Y", "%B-%Y", "%d. %B %Y", EXCEL),
    *("%G-W%V", "%G-%V", "%GW%V", "%G%V"),
)
TIME = re.compile(r"[ T][0-9]{1,2}:[0-9]{2}.*$")
_DIGITS = {"%Y%m%d": 8, "%Y%m": 6, "%G%V": 6}


def parse_day(text: str, date_format: str) -> date | None:
    """Parse a date, or return None; a time may follow it."""
    text = TIME.sub("", text.strip())
    if date_format == EXCEL:
        whole = re.fullmatch(r"([0-9]{5})(\.[0-9]+)?", text)
        return date(1899, 12, 30) + timedelta(days=int(whole[1])) if whole else None
    if date_format in _DIGITS and len(text) != _DIGITS[date_format]:
        return None
    try:
        if "%V" in date_format:
            day = datetime.strptime(f"{text}-1", f"{date_format}-%u").date()
        else:
            day = datetime.strptime(text, date_format).date()
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None


def date_remedy(texts: Sequence[str | None], date_format: str | None) -> str:
    """Return what to do about dates that the config's format does not read."""
    present = [text for text in texts if text]
    if not present:
        return "remove rows without a date, or write their date"
    if any(
        re.match(r"(?i)(grand )?(total|sum|summe|gesamt|totale|suma|razem)", t) for t in present
    ):
        return "remove the row of totals"
    read = [parse_day(text, date_format or "%Y-%m-%d") for text in present]
    iso = [re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) for text in present]
    if all(iso) or any(day is not None for day in read):
        return f"is it a typing error? Correct it; dates are read from {FIRST_DAY} to {LAST_DAY}"
    fitting = [
        one for one in FORMATS if one != date_format and all(parse_day(t, one) for t in present)
    ]
    if fitting:
        return "set " + " or ".join(f'`date.format: "{one}"`' for one in fitting[:3])
    return "correct them, or set `date.format`"
