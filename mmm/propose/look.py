"""A sample of a source, as figures per column."""

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
from mmm.propose.rules import Seen

SAMPLE_ROWS = 20_000
FORMATS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y-%m"),
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%b-%Y", "%d %b %Y", "%d-%b-%y"),
)
_COMMA = re.compile(r"-?(\d{1,3}(\.\d{3})+|\d+),\d+|-?\d{1,3}(\.\d{3}){2,}")


def look(warehouse: Warehouse) -> tuple[list[Seen], pd.DataFrame]:
    """Figures of every column, and the sample that they come from."""
    fields = warehouse.fields()
    if len(fields) == 1 and re.search(r"[,;\t|]", fields[0].name):
        raise DataError(
            f"{warehouse.description} was read as one column, `{fields[0].name[:80]}`: rows have "
            "different numbers of cells, or quotes do not match"
        )
    query = exp.select("*").from_(warehouse.relation.copy()).limit(SAMPLE_ROWS)
    batches = list(islice(warehouse.stream(query.sql(dialect=warehouse.dialect)), 100))
    if not batches or not sum(batch.num_rows for batch in batches):
        raise DataError(f"{warehouse.description} is empty")
    frame = pd.concat([batch.to_pandas() for batch in batches], ignore_index=True)
    frame.columns = [field.name for field in fields]
    seen = [_seen(field, frame[field.name]) for field in fields]
    return [_against_dates(column, seen, frame) for column in seen], frame


def _seen(field: Field, values: pd.Series[Any]) -> Seen:
    texts = texts_of(values)
    numbers = pd.to_numeric(texts, errors="coerce")
    numeric = field.kind.is_number or bool(len(texts) and numbers.notna().mean() > 0.9)
    form, doubt = (None, None) if field.kind.is_number else date_format(list(texts))
    comma = [text for text in texts[:2000] if _COMMA.fullmatch(text)] if not numeric else []
    return Seen(
        name=field.name,
        kind=field.kind,
        numeric=numeric and form is None and doubt is None,
        date_format=form,
        distinct=int(texts.nunique()),
        rows=len(values),
        lowest=float(numbers.min()) if numeric and len(numbers) else None,
        highest=float(numbers.max()) if numeric and len(numbers) else None,
        decimal_comma=comma[0] if len(comma) > 0.5 * len(texts[:2000]) else None,
        ambiguous=doubt,
    )


def texts_of(values: pd.Series[Any]) -> pd.Series[Any]:
    """The values that are there, as text."""
    texts = values.dropna().astype(str).str.strip()
    return texts[texts != ""]


def _against_dates(column: Seen, seen: Sequence[Seen], frame: pd.DataFrame) -> Seen:
    """The column with what can be told only beside the dates."""
    if not column.numeric:
        return column
    values = pd.to_numeric(frame[column.name], errors="coerce").astype(float)
    steps = np.diff(values)
    counts = len(steps) > 2 and bool((steps == 1).all())
    dated = next((other.name for other in seen if other.is_date), None)
    same = False
    if dated is not None and not counts:
        sums = values.groupby(frame[dated].astype(str)).sum()
        same = len(sums) > 2 and bool(np.ptp(sums) <= 1e-9 * np.abs(sums).max())
    return Seen(**{**vars(column), "numbers_rows": counts, "same_daily": same})


def date_format(texts: Sequence[str]) -> tuple[str | None, str | None]:
    """(the one format that reads nearly all texts, None); or (None, a text that two formats read).

    Where day and month could be either, dates at regular distances decide: weeks are seven days
    apart in one reading only.
    """
    sample = list(texts[:2000])
    if not sample:
        return None, None
    fitting: dict[str, list[date]] = {}
    for form in FORMATS:
        days = [day for day in (read_day(text, form) for text in sample) if day]
        if len(days) >= 0.95 * len(sample):
            fitting[form] = days
    if len(fitting) > 1:
        regular = [form for form, days in fitting.items() if _regular(days)]
        if len(regular) != 1:
            return None, sample[0]
        return regular[0], None
    return next(iter(fitting), None), None


def _regular(days: Sequence[date]) -> bool:
    """Whether distances are those of days, weeks or months."""
    ordered = sorted(set(days))
    steps = pd.Series([(b - a).days for a, b in pairwise(ordered)])
    if len(steps) < 4:
        return False
    if steps.between(28, 31).mean() > 0.9:
        return all(day.day == ordered[0].day for day in ordered)
    usual = steps.median()
    whole = usual * len(steps) > 0.9 * (ordered[-1] - ordered[0]).days
    return bool(usual in (1, 7) and whole and (steps == usual).mean() > 0.9)


def read_day(text: str, form: str) -> date | None:
    """The day that a text means by a format; ISO dates may be followed by a time."""
    if form in ("%Y-%m-%d", "%Y/%m/%d"):
        text = text[:10]
    if form == "%Y%m%d" and len(text) != 8:
        return None
    try:
        day = datetime.strptime(text, form).date()
    except ValueError:
        return None
    return day if 1900 < day.year < 2200 else None


def frequency(days: Sequence[date]) -> tuple[str, int | None]:
    """(day, week or month; weekday of weekly rows) from the usual distance of dates."""
    ordered = sorted(set(days))
    steps = pd.Series([(b - a).days for a, b in pairwise(ordered)])
    usual = int(steps.median()) if len(steps) else 1
    if usual < 5:
        return "day", None
    if usual < 20:
        weekdays = pd.Series([day.weekday() for day in ordered])
        return "week", int(weekdays.mode()[0])
    return "month", None
