"""Profile the columns of a source from a sample of its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pandas as pd
from sqlglot import exp

from contract.exceptions import DataError
from job.sources.schema import Field
from job.sources.warehouse import Warehouse
from mmm.propose.rules import ColumnProfile

SAMPLE_ROWS = 20_000
FORMATS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y-%m"),
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%b-%Y", "%d %b %Y", "%d-%b-%y"),
)
_DECIMAL_COMMA = re.compile(r"-?(\d{1,3}(\.\d{3})+|\d+),\d+|-?\d{1,3}(\.\d{3}){2,}")


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
    profiles = [_profile_column(field, frame[field.name]) for field in fields]
    return [_compare_with_dates(column, profiles, frame) for column in profiles], frame


def _profile_column(field: Field, values: pd.Series[Any]) -> ColumnProfile:
    texts = present_texts(values)
    numbers = pd.to_numeric(texts, errors="coerce")
    numeric = field.kind.is_number or bool(len(texts) and numbers.notna().mean() > 0.9)
    text_format, ambiguous = (None, None) if field.kind.is_number else find_date_format(list(texts))
    comma = [text for text in texts[:2000] if _DECIMAL_COMMA.fullmatch(text)] if not numeric else []
    return ColumnProfile(
        name=field.name,
        kind=field.kind,
        numeric=numeric and text_format is None and ambiguous is None,
        date_format=text_format,
        distinct=int(texts.nunique()),
        rows=len(values),
        lowest=float(numbers.min()) if numeric and len(numbers) else None,
        highest=float(numbers.max()) if numeric and len(numbers) else None,
        decimal_comma=comma[0] if len(comma) > 0.5 * len(texts[:2000]) else None,
        ambiguous=ambiguous,
    )


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
    is_row_number = len(steps) > 2 and bool((steps == 1).all())
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

    A format fits if it parses at least 95 % of the texts. If day and month are ambiguous, the
    format with regular intervals is chosen: weekly dates are seven days apart in one format only.
    Both results are None if no format fits.
    """
    sample = list(texts[:2000])
    if not sample:
        return None, None
    fitting: dict[str, list[date]] = {}
    for date_format in FORMATS:
        days = [day for day in (parse_day(text, date_format) for text in sample) if day]
        if len(days) >= 0.95 * len(sample):
            fitting[date_format] = days
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


def parse_day(text: str, date_format: str) -> date | None:
    """Parse a date, or return None; a time may follow an ISO date."""
    if date_format in ("%Y-%m-%d", "%Y/%m/%d"):
        text = text[:10]
    if date_format == "%Y%m%d" and len(text) != 8:
        return None
    try:
        day = datetime.strptime(text, date_format).date()
    except ValueError:
        return None
    return day if 1900 < day.year < 2200 else None


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
