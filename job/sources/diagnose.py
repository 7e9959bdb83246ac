"""Explain an empty or unreadable result: run a small query whose answer goes into the error."""

from __future__ import annotations

from sqlglot import exp

from contract.config import Config
from contract.exceptions import CancelledError, DataError, MMMError
from contract.suggest import did_you_mean
from job.sources.plan import Plan
from job.sources.sql import parse_date
from job.sources.warehouse import Warehouse, arrow_rows

_MAX_COUNTRIES = 20


def no_rows(config: Config, plan: Plan, warehouse: Warehouse) -> DataError:
    """Return the error for a source without rows of the country in the date window."""
    relation = warehouse.relation.copy()
    whole_table = exp.select(
        exp.Count(this=exp.Star()),
        exp.cast(exp.Min(this=parse_date(config, plan)), "VARCHAR"),
        exp.cast(exp.Max(this=parse_date(config, plan)), "VARCHAR"),
    ).from_(relation)
    ((count, first, last),) = _query_rows(warehouse, whole_table) or [(None, None, None)]
    table = warehouse.description
    if count is None:
        return DataError(f"{table} has no rows for this config")
    if count == 0:
        return DataError(f"{table} is empty; load it, or correct `source`")
    if plan.country is not None:
        text = exp.cast(exp.column(plan.country.name, quoted=True), "VARCHAR")
        distinct = exp.select(text).from_(relation.copy()).group_by(text.copy()).limit(1000)
        rows = _query_rows(warehouse, distinct)
        countries = sorted(str(row[0]) for row in rows if row[0] is not None)
        if config.country() not in countries:
            shown = ", ".join(countries[:_MAX_COUNTRIES]) or "no values"
            return DataError(
                f"{table} has no rows with `{config.source.country_column}` = "
                f"`{config.country()}`; it has {shown}."
                f"{did_you_mean(config.country(), countries)}"
            )
    window = f"{config.date.start or 'the first date'} to {config.date.end or 'the last date'}"
    return DataError(
        f"{table} has no rows from {window} (`date.start`, `date.end`); it has dates from "
        f"{first} to {last}"
    )


def unreadable_dates(config: Config, plan: Plan, warehouse: Warehouse, count: int) -> DataError:
    """Return the error for a date column in which every value is unreadable."""
    raw = exp.cast(exp.column(plan.date.name, quoted=True), "VARCHAR")
    sample = exp.select(raw).from_(warehouse.relation.copy()).limit(1)
    rows = _query_rows(warehouse, sample)
    value = f", e.g. `{str(rows[0][0])[:40]}`" if rows else ""
    expected = config.date.format or "YYYY-MM-DD"
    return DataError(
        f"column `{config.date.column}` of {warehouse.description}: {count} dates cannot be read "
        f'as {expected}{value}; set the format, e.g. `date.format: "%d.%m.%Y"`'
    )


def _query_rows(warehouse: Warehouse, query: exp.Select) -> list[tuple[object, ...]]:
    """Return the rows of a small query; empty if the query fails."""
    try:
        return arrow_rows(warehouse.stream(query.sql(dialect=warehouse.dialect)))
    except CancelledError:
        raise
    except MMMError:
        return []
