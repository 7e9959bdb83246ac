"""Make the table of public holidays that prophet reads, for one country and a span of dates."""

from __future__ import annotations

import difflib
from datetime import date

import holidays
import pandas as pd
from holidays.registry import COUNTRIES

from contract.config import Config
from contract.exceptions import ConfigError
from contract.training import ProphetVar

COLUMNS = ("ds", "holiday", "country", "year")


class UnknownCountryError(ConfigError):
    """The `holidays` library has no public holidays for this country."""

    def __init__(self, country: str, match: str | None) -> None:
        """Write the message; `match` is the nearest known code, if any."""
        hint = f" Did you mean `{match}`?" if match else ""
        super().__init__(
            f"`training.holidays` is `{country}`, which has no known public holidays; allowed:"
            f" ISO 3166 codes of two letters, such as DE, FR or GB.{hint}"
        )
        self.country = country
        self.match = match


def check_country(config: Config) -> None:
    """Refuse a country without known holidays, before any data is read.

    Raises:
        UnknownCountryError: prophet uses `training.holidays`, and it is not a known country.
    """
    country = config.training.holidays
    if country is None or ProphetVar.HOLIDAY not in config.training.prophet:
        return
    if country.strip().upper() not in _codes():
        raise UnknownCountryError(country, _nearest(country))


def holidays_table(country: str, start: date, end: date) -> pd.DataFrame:
    """Return the public holidays of `country` in all years from `start` to `end`.

    Whole years are returned, so that every yearly holiday is complete for prophet.

    Args:
        country: ISO 3166 code of two letters, in any case. `UK` is accepted for `GB`.
        start: first day of the data.
        end: last day of the data, not before `start`.

    Returns:
        One row per day and holiday, sorted: `ds` (ISO date, string), `holiday` (in English where
        the library has it, else in the country's language), `country` (as given, in capitals)
        and `year`.

    Raises:
        UnknownCountryError: the country is not known; names the nearest code.
        ValueError: `end` is before `start`.
    """
    if end < start:
        raise ValueError(f"holidays: the end {end} is before the start {start}.")
    code = country.strip().upper()
    if code not in _codes():
        raise UnknownCountryError(country, _nearest(country))
    years = range(start.year, end.year + 1)
    calendar = holidays.country_holidays(code, years=years, language=_english(code))
    rows = [
        (day.isoformat(), name, code, day.year)
        for day, names in sorted(calendar.items())
        for name in names.split(holidays.constants.HOLIDAY_NAME_DELIMITER)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"year": "int64"})


def _codes() -> set[str]:
    """Return every code of two letters that the library knows, aliases such as `UK` included."""
    return {code for _, *codes in COUNTRIES.values() for code in codes if len(code) == 2}


def _english(code: str) -> str | None:
    """Return the language code of English names, or None for the country's default language."""
    languages = holidays.country_holidays(code).supported_languages
    return next((language for language in ("en_US", "en_GB") if language in languages), None)


def _nearest(country: str) -> str | None:
    """Find the code meant by a country's name, its three-letter code or a misspelled code."""
    by_spelling = {
        spelling.casefold(): codes[0]
        for key, (_, *codes) in COUNTRIES.items()
        for spelling in (key.replace("_", " "), *codes)
    }
    wanted = country.strip().casefold().replace("_", " ")
    found = difflib.get_close_matches(wanted, by_spelling, n=1, cutoff=0.5)
    return by_spelling[found[0]] if found else None
