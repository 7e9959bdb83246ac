"""Profile the columns of a source from a sample of its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pandas as pd
from sqlglot import exp

from contract.exceptions import DataError
from contract.numbers import NumberFormat
from job.sources.csv_files import refuse_repeated_headers
from job.sources.date_texts import EXCEL, FORMATS, parse_day, swapped_by_excel
from job.sources.number_texts import Reading, find_reading
from job.sources.schema import Field, Kind
from job.sources.warehouse import Warehouse
from mmm.propose import vocabulary
from mmm.propose.rules import ColumnProfile
from mmm.propose.vocabulary import split_words

SAMPLE_ROWS = 20_000
_MOSTLY = 0.5  # share of numbers from which a column of text holds numbers
_EARLY, _LATE = date(1980, 1, 1), date(2100, 1, 1)  # the dates of most tables
_BARE = (EXCEL, "%y%m%d", "%Y%m", "%Y%m%d", "%G%V")  # formats of digits alone
_AMOUNTS = vocabulary.SPEND | vocabulary.EXPOSURE | set(vocabulary.TARGET) | vocabulary.MEDIA
_DATE_NAMES = vocabulary.CALENDAR | {"yyyymm", "yyyymmdd", "ym", "ymd", "yearmonth"}


def profile_columns(warehouse: Warehouse) -> tuple[list[ColumnProfile], pd.DataFrame]:
    """Return a profile of each column, and the sample that the profiles describe.

    Raises:
        DataError: The source is empty, or its CSV file cannot be split into columns.
    """
    fields = warehouse.fields()
    if len(fields) == 1 and re.search(r"[,;\t|]", fields[0].name):
        raise DataError(
            f"{warehouse.description} was read as one column, `{fields[0].name[:80]}`; check that "
            "all rows have the same number of cells and that quotes match"
        )
    query = exp.select("*").from_(warehouse.relation.copy()).limit(SAMPLE_ROWS)
    batches = list(islice(warehouse.stream(query.sql(dialect=warehouse.dialect)), 100))
    if not batches or not sum(batch.num_rows for batch in batches):
        raise DataError(f"{warehouse.description} is empty")
    frame = pd.concat([batch.to_pandas() for batch in batches], ignore_index=True)
    frame.columns = [field.name for field in fields]
    refuse_repeated_headers((field.name for field in fields), warehouse.description)
    profiles = [_profile_column(f, frame[f.name], warehouse.first_row) for f in fields]
    for column in profiles:
        if column.numeric and column.kind is Kind.TEXT:
            read = (column.numbers or NumberFormat()).read
            frame[column.name] = frame[column.name].map(
                lambda text, read=read: read(text) if isinstance(text, str) else None
            )
    return [_compare_with_dates(column, profiles, frame) for column in profiles], frame


def _profile_column(field: Field, values: pd.Series[Any], first_row: int | None) -> ColumnProfile:
    texts = present_texts(values)
    by_format, ambiguous = (None, None)
    if not field.kind.is_number or field.kind is Kind.INTEGER:
        by_format, ambiguous = find_date_format(list(texts))
        if not _may_be_dates(field, by_format, ambiguous):
            by_format, ambiguous = None, None
    reading = Reading(format=NumberFormat(), share=1.0)
    is_text = field.kind in (Kind.TEXT, Kind.OTHER)
    if is_text and by_format is None and ambiguous is None:
        reading = find_reading(list(texts))
    numeric = field.kind.is_number or (is_text and bool(len(texts)) and reading.share > _MOSTLY)
    swapped = None
    if is_text and by_format is None and ambiguous is None:
        both = swapped_by_excel(list(texts))
        if both:
            swapped = " and ".join(_shown(texts, position, first_row) for position in both)
    numbers = pd.to_numeric(texts, errors="coerce")
    if is_text and numeric:
        numbers = texts.map((reading.format or NumberFormat()).read).astype(float)
    if numeric and not numbers.notna().any():
        numeric = False
    odd = None
    if is_text and reading.share > 0 and reading.odd is not None:
        odd = _shown(texts, reading.odd, first_row)
    return ColumnProfile(
        name=field.name,
        kind=field.kind,
        numeric=numeric and by_format is None and ambiguous is None,
        date_format=by_format,
        distinct=int(texts.nunique()),
        rows=len(values),
        lowest=float(numbers.min()) if numeric and len(numbers) else None,
        highest=float(numbers.max()) if numeric and len(numbers) else None,
        numbers=reading.format if is_text else None,
        odd=odd,
        unclear=reading.ambiguous if is_text else None,
        ambiguous=ambiguous,
        swapped=swapped,
        example=_shown(texts, 0, first_row) if len(texts) else None,
    )


def _shown(texts: pd.Series[Any], position: int, first_row: int | None) -> str:
    """Return a text with its row, if the source has rows."""
    shown = f"`{texts.iloc[position]}`"
    return shown if first_row is None else f"{shown} in row {texts.index[position] + first_row:,}"


def _may_be_dates(field: Field, date_format: str | None, ambiguous: str | None) -> bool:
    """Return whether digits are dates: `44564` and `202201` may as well be amounts."""
    if date_format in _BARE or (field.kind.is_number and ambiguous):
        words = set(split_words(field.name))
        return bool(words & _DATE_NAMES) and not words & _AMOUNTS
    return True


def present_texts(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return the values that are not missing or blank, as text."""
    texts = values.dropna().astype(str).str.strip()
    return texts[texts != ""]


def _compare_with_dates(
    column: ColumnProfile, profiles: Sequence[ColumnProfile], frame: pd.DataFrame
) -> ColumnProfile:
    """Return the profile with the facts that depend on row order and dates."""
    if not column.numeric:
        return column
    values = pd.to_numeric(frame[column.name], errors="coerce").astype(float)
    steps = np.diff(values)
    is_row_number = len(steps) > 2 and bool((steps == 1).all() and values.iloc[0] % 1 == 0)
    date_column = next((other.name for other in profiles if other.is_date), None)
    constant = False
    if date_column is not None and not is_row_number:
        sums = values.groupby(frame[date_column].astype(str)).sum()
        constant = len(sums) > 2 and bool(np.ptp(sums) <= 1e-9 * np.abs(sums).max())
    return ColumnProfile(
        **{**vars(column), "is_row_number": is_row_number, "constant_over_dates": constant}
    )


def find_date_format(texts: Sequence[str]) -> tuple[str | None, str | None]:
    """Return (the only format that fits, None), or (None, an example that several formats fit).

    A format fits if it parses at least 95% of the texts. If day and month are ambiguous, the
    format with regular intervals is chosen: weekly dates are seven days apart in one format only.
    Both results are None if no format fits.
    """
    sample = list(texts[:2000])
    if not sample:
        return None, None
    fitting: dict[str, list[date]] = {}
    first = sample[:40]
    for date_format in FORMATS:
        if sum(parse_day(text, date_format) is not None for text in first) < len(first) / 2:
            continue
        days = [day for day in (parse_day(text, date_format) for text in sample) if day]
        if len(days) >= 0.95 * len(sample):
            fitting[date_format] = days
    plausible = {f: days for f, days in fitting.items() if _EARLY < min(days) <= max(days) < _LATE}
    fitting = plausible or fitting
    if len(fitting) > 1:
        regular = [date_format for date_format, days in fitting.items() if _is_regular(days)]
        if len(regular) != 1:
            return None, sample[0]
        return regular[0], None
    return next(iter(fitting), None), None


def _is_regular(days: Sequence[date]) -> bool:
    """Return whether the dates are a day, a week or a month apart."""
    ordered = sorted(set(days))
    steps = pd.Series([(b - a).days for a, b in pairwise(ordered)])
    if len(steps) < 4:
        return False
    if steps.between(28, 31).mean() > 0.9:
        return all(day.day == ordered[0].day for day in ordered)
    usual = steps.median()
    complete = usual * len(steps) > 0.9 * (ordered[-1] - ordered[0]).days
    return bool(usual in (1, 7) and complete and (steps == usual).mean() > 0.9)


def frequency(days: Sequence[date]) -> tuple[str, int | None]:
    """Return ("day", "week" or "month"; weekday of weekly rows) from the usual interval."""
    ordered = sorted(set(days))
    steps = pd.Series([(b - a).days for a, b in pairwise(ordered)])
    usual = int(steps.median()) if len(steps) else 1
    if usual < 5:
        return "day", None
    if usual < 20:
        weekdays = pd.Series([day.weekday() for day in ordered])
        return "week", int(weekdays.mode()[0])
    return "month", None
