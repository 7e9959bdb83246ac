"""Why a query gave nothing: a second, small question to the source, so that the answer helps."""

from __future__ import annotations

from sqlglot import exp

from contract.config import Config
from contract.exceptions import CancelledError, DataError, MMMError
from contract.suggest import did_you_mean
from job.sources.plan import Plan
from job.sources.sql import parse_date
from job.sources.warehouse import Warehouse, arrow_rows

_SHOWN = 20


def no_rows(config: Config, plan: Plan, warehouse: Warehouse) -> DataError:
    """The error for a source that has no row of the country in the window."""
    relation = warehouse.relation.copy()
    everywhere = exp.select(
        exp.Count(this=exp.Star()),
        exp.cast(exp.Min(this=parse_date(config, plan)), "VARCHAR"),
        exp.cast(exp.Max(this=parse_date(config, plan)), "VARCHAR"),
    ).from_(relation)
    ((count, first, last),) = _ask(warehouse, everywhere) or [(None, None, None)]
    where = warehouse.description
    if count is None:
        return DataError(f"{where} has no rows for this config")
    if count == 0:
        return DataError(f"{where} is empty; load it, or correct `source`")
    if plan.country is not None:
        text = exp.cast(exp.column(plan.country.name, quoted=True), "VARCHAR")
        found = exp.select(text).from_(relation.copy()).group_by(text.copy()).limit(1000)
        countries = sorted(str(row[0]) for row in _ask(warehouse, found) if row[0] is not None)
        if config.country() not in countries:
            shown = ", ".join(countries[:_SHOWN]) or "nothing"
            return DataError(
                f"{where} has no rows with `{config.source.country_column}` = "
                f"`{config.country()}`; it has {shown}."
                f"{did_you_mean(config.country(), countries)}"
            )
    window = f"{config.date.start or 'the first date'} to {config.date.end or 'the last'}"
    return DataError(
        f"{where} has no rows from {window} (`date.start`, `date.end`); its dates run from "
        f"{first} to {last}"
    )


def unreadable_dates(config: Config, plan: Plan, warehouse: Warehouse, count: int) -> DataError:
    """The error for a date column of which no value can be read."""
    raw = exp.cast(exp.column(plan.date.name, quoted=True), "VARCHAR")
    sample = exp.select(raw).from_(warehouse.relation.copy()).limit(1)
    rows = _ask(warehouse, sample)
    value = f", e.g. `{str(rows[0][0])[:40]}`" if rows else ""
    expected = config.date.format or "YYYY-MM-DD"
    return DataError(
        f"column `{config.date.column}` of {warehouse.description}: {count} dates cannot be read "
        f'as {expected}{value}; say how they are written, e.g. `date.format: "%d.%m.%Y"`'
    )


def _ask(warehouse: Warehouse, query: exp.Select) -> list[tuple[object, ...]]:
    try:
        return arrow_rows(warehouse.stream(query.sql(dialect=warehouse.dialect)))
    except CancelledError:
        raise
    except MMMError:
        return []
