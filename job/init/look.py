"""A sample of a source, as figures per column."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from itertools import islice, pairwise
from typing import Any

import pandas as pd
from sqlglot import exp

from contract.exceptions import DataError
from job.init.rules import Seen
from job.sources.schema import Field
from job.sources.warehouse import Warehouse

SAMPLE_ROWS = 20_000
FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d", "%d-%m-%Y")


def look(warehouse: Warehouse) -> tuple[list[Seen], pd.DataFrame]:
    """Figures of every column, and the sample that they come from."""
    fields = warehouse.fields()
    query = exp.select("*").from_(warehouse.relation.copy()).limit(SAMPLE_ROWS)
    batches = list(islice(warehouse.stream(query.sql(dialect=warehouse.dialect)), 100))
    if not batches or not sum(batch.num_rows for batch in batches):
        raise DataError(f"{warehouse.description} is empty")
    frame = pd.concat([batch.to_pandas() for batch in batches], ignore_index=True)
    frame.columns = [field.name for field in fields]
    return [_seen(field, frame[field.name]) for field in fields], frame


def _seen(field: Field, values: pd.Series[Any]) -> Seen:
    there = values.dropna()
    texts = there.astype(str).str.strip()
    texts = texts[texts != ""]
    numbers = pd.to_numeric(texts, errors="coerce")
    numeric = field.kind.is_number or bool(len(texts) and numbers.notna().mean() > 0.9)
    form = None if field.kind.is_number else date_format(list(texts))
    return Seen(
        name=field.name,
        kind=field.kind,
        numeric=numeric and form is None,
        date_format=form,
        distinct=int(texts.nunique()),
        rows=len(values),
        lowest=float(numbers.min()) if numeric and len(numbers) else None,
    )


def date_format(texts: Sequence[str]) -> str | None:
    """The one format that reads (nearly) all texts; None where there is none or several do."""
    if not texts:
        return None
    sample = texts[:2000]
    fitting = []
    for form in FORMATS:
        size = 10 if form == "%Y-%m-%d" else None
        read = sum(_reads(text[:size], form) for text in sample)
        if read >= 0.95 * len(sample):
            fitting.append(form)
    return fitting[0] if len(fitting) == 1 else None


def ambiguous(texts: Sequence[str]) -> bool:
    """Whether days and months of all dates could be the other way round."""
    return all(_reads(t, "%d/%m/%Y") and _reads(t, "%m/%d/%Y") for t in texts)


def frequency(days: Sequence[date]) -> tuple[str, int | None]:
    """(day, week or month; weekday of weekly rows) from the usual distance of dates."""
    ordered = sorted(set(days))
    steps = pd.Series([(b - a).days for a, b in pairwise(ordered)])
    usual = int(steps.median()) if len(steps) else 1
    if usual < 5:
        return "day", None
    if usual < 20:
        return "week", ordered[-1].weekday()
    return "month", None


def _reads(text: str, form: str) -> bool:
    if form == "%Y%m%d" and len(text) != 8:
        return False
    try:
        return 1900 < datetime.strptime(text, form).year < 2200
    except ValueError:
        return False
