"""The formats in which people write dates, and the days that texts write in a format."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, timedelta

EXCEL = "excel"  # days since 1899-12-30, as Excel counts them
FIRST_DAY, LAST_DAY = date(1678, 1, 1), date(2261, 12, 31)  # the range of nanoseconds
FORMATS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y-%m", "%Y/%m", "%Y%m", "%m/%Y", "%m.%Y"),
    *("%m-%Y", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%y%m%d"),
    *("%d %b %Y", "%d %b %y", "%b %d, %Y", "%b %d, %y", "%Y %b %d", "%b %Y", "%b %y", "%Y %b"),
    *(EXCEL, "%G-W%V", "%G-%V", "%GW%V", "%G%V"),
)
TIME = re.compile(r"[ T][0-9]{1,2}:[0-9]{2}.*$")
HOUR, MINUTE = "[ T]([0-9]{1,2}):[0-9]{2}", "[ T][0-9]{1,2}:([0-9]{2})"
AFTERNOON, MORNING = "[0-9] ?[Pp][.]?[Mm]", "[0-9] ?[Aa][.]?[Mm]"
# The first letters of the months in English, German, French, Spanish, Italian, Portuguese, Dutch
# and Polish. No two languages use the same letters for different months.
MONTHS = {
    beginning: month
    for month, beginnings in enumerate(
        (
            "jan jän ene gen sty",
            "feb fev fév lut",
            "mar mär mrz mrt maa",
            "apr avr abr kwi",
            "may mai mag mei maj",
            "jun juin giu cze",
            "jul juil lug lip",
            "aug aou aoû ago sie",
            "sep set wrz",
            "oct okt ott out paz paź",
            "nov lis",
            "dec déc dez dic gru",
        ),
        start=1,
    )
    for beginning in beginnings.split()
}
LETTERS = "([^0-9 .,/_'-]{3,})"  # the name of a month; `de` and `th` are shorter
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-([0-9]{2})\b")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4}|[0-9]{2})\b")
_MIN_SWAPPED = 12
_DIGITS = {"%Y%m%d": 8, "%Y%m": 6, "%G%V": 6, "%y%m%d": 6}
_TOTALS = r"(?i)(grand )?(total|sum|summe|gesamt|totale|suma|razem|insgesamt|totaal|som)\b"


def has_month_name(date_format: str) -> bool:
    """Return whether dates of this format have the name of a month."""
    return "%b" in date_format or "%B" in date_format


def named_pattern(date_format: str) -> str:
    """Return the regular expression of a date with the name of a month.

    Any characters that are no digits may stand between the numbers: `3. März 2022`, `3-mrt-2022`.
    """
    number = {"%d": "[0-9]{1,2}", "%Y": "[0-9]{4}", "%y": "[0-9]{2}"}
    parts = [number.get(part, "") for part in re.findall("%[A-Za-z]", date_format)]
    numbers = "[^0-9]+".join(part for part in parts if part)
    before, after = ("" if part else "[^0-9]+" for part in (parts[0], parts[-1]))
    return f"^{before}{numbers}{after}$"


def year_first(date_format: str) -> bool:
    """Return whether the year comes before the day."""
    return "%d" in date_format and date_format.upper().index("%Y") < date_format.index("%d")


def parse_day(text: str, date_format: str) -> date | None:
    """Parse a date, or return None; a time may follow it.

    >>> parse_day("3. März 2022", "%d %b %Y")
    datetime.date(2022, 3, 3)
    """
    text = TIME.sub("", text.strip())
    if date_format == EXCEL:
        whole = re.fullmatch(r"([0-9]{5})(\.[0-9]+)?", text)
        return date(1899, 12, 30) + timedelta(days=int(whole[1])) if whole else None
    if date_format in _DIGITS and len(text) != _DIGITS[date_format]:
        return None
    if has_month_name(date_format):
        return _with_month_name(text, date_format)
    try:
        if "%V" in date_format:
            day = datetime.strptime(f"{text}-1", f"{date_format}-%u").date()
        else:
            day = datetime.strptime(text, date_format).date()
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None


def parse_clock(text: str) -> int | None:
    """Return the time in a text, in minutes after midnight; None if it has none.

    >>> parse_clock("03/01/2022 11:30 PM")
    1410
    """
    hour, minute = re.search(HOUR, text), re.search(MINUTE, text)
    if hour is None or minute is None:
        return None
    hours = int(hour[1])
    if re.search(AFTERNOON, text) and hours < 12:
        hours += 12
    elif re.search(MORNING, text) and hours == 12:
        hours = 0
    return hours * 60 + int(minute[1])


def _with_month_name(text: str, date_format: str) -> date | None:
    text = unicodedata.normalize("NFC", text.lower())
    name = re.search(LETTERS, text)
    if name is None or not re.match(named_pattern(date_format), text):
        return None
    month = MONTHS.get(name[1][:4], MONTHS.get(name[1][:3]))
    numbers = re.findall("[0-9]+", text)
    year = numbers[0 if year_first(date_format) or "%d" not in date_format else -1]
    day = "1" if "%d" not in date_format else numbers[-1 if year_first(date_format) else 0]
    if month is None:
        return None
    if len(year) == 2:
        year = f"{'20' if year < '69' else '19'}{year}"
    try:
        return date(int(year), month, int(day))
    except ValueError:
        return None


def swapped_by_excel(texts: Sequence[str]) -> tuple[int, int] | None:
    """Return the positions of (a date that Excel turned, one that it left), or None.

    Excel reads 03/01/2022 as the first of March where months come first, and leaves 25/01/2022 as
    text. So all days of the dates that it turned are at most 12, and those of the others above.
    """
    if len(texts) < _MIN_SWAPPED:
        return None
    turned: list[int] = []
    left: list[int] = []
    for position, text in enumerate(texts):
        iso = _ISO.match(text)
        other = _DAY_FIRST.match(text)
        if iso and int(iso[1]) <= 12:
            turned.append(position)
        elif other and int(other[1]) > 12 and int(other[2]) <= 12:
            left.append(position)
        else:
            return None
    if min(len(turned), len(left)) < len(texts) / 10:
        return None
    return turned[0], left[0]


def date_remedy(
    texts: Sequence[str | None], date_format: str | None, *, turned: str | None = None
) -> str:
    """Return what to do about dates that the config's format does not read.

    Args:
        texts: Dates that are not read.
        date_format: The config's format; ISO if None.
        turned: A date that is read, with its row, if no date that is read has a day above 12.
    """
    present = [text for text in texts if text]
    days = [_DAY_FIRST.match(text) for text in present]
    if turned and days and all(day and int(day[1]) > 12 for day in days):
        return (
            f"Excel probably swapped day and month: it read dates such as {turned} with the month "
            f"first, and left dates such as `{present[0]}` as text. Export them again as "
            "YYYY-MM-DD from the original data"
        )
    if not present:
        return "remove rows without a date, or write their date"
    if any(re.match(_TOTALS, text) for text in present):
        return "remove the row of totals"
    if not any(re.search("[0-9]", text) for text in present):
        return "remove the rows that are no data"
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
