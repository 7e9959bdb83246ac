"""Explain an empty or unreadable result: run a small query whose answer goes into the error."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from contract.config import Config
from contract.exceptions import CancelledError, DataError, MMMError
from contract.suggest import did_you_mean
from job.sources.date_texts import date_remedy
from job.sources.plan import Plan
from job.sources.schema import Field
from job.sources.snapshot import Evidence, Example
from job.sources.sql import any_filled, raw_text, usual_day, value
from job.sources.sql_dates import parse_date
from job.sources.warehouse import Warehouse, arrow_rows

_MAX_COUNTRIES = 20
_MAX_EXAMPLES = 3


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
    examples = unreadable_values(config, plan, warehouse, columns=(), dates=True)
    shown = Evidence(examples=examples).examples_of(config.date.column)
    value = f", e.g. {shown}" if shown else ""
    expected = config.date.format or "YYYY-MM-DD"
    remedy = date_remedy([example.text for example in examples], config.date.format)
    return DataError(
        f"column `{config.date.column}` of {warehouse.description}: {count} dates cannot be read "
        f"as {expected}{value}; {remedy}"
    )


def unreadable_values(
    config: Config, plan: Plan, warehouse: Warehouse, *, columns: Sequence[str], dates: bool
) -> tuple[Example, ...]:
    """Return up to three unreadable values of the date and of each of these columns.

    Args:
        config: The resolved config.
        plan: The plan of the extraction.
        warehouse: The source.
        columns: Names of number columns with unreadable text.
        dates: Whether the date column has unreadable values.
    """
    found: list[Example] = []
    if dates:
        found += _examples(config, plan, warehouse, plan.date, parse_date(config, plan), None)
    for column in plan.columns:
        if column.name in columns:
            parsed, text = value(column), raw_text(column)
            found += _examples(config, plan, warehouse, column.field, parsed, text, column.name)
    return tuple(found)


def readable_date(config: Config, plan: Plan, warehouse: Warehouse) -> Example | None:
    """Return the first date that is read, with its row."""
    day = parse_date(config, plan)
    found = _examples(config, plan, warehouse, plan.date, day, None, readable=True)
    return found[0] if found else None


def _examples(
    config: Config,
    plan: Plan,
    warehouse: Warehouse,
    field: Field,
    parsed: exp.Expr,
    text: exp.Expr | None,
    name: str | None = None,
    *,
    readable: bool = False,
) -> list[Example]:
    raw = exp.cast(exp.column(field.name, quoted=True), "VARCHAR")
    number: exp.Expr = exp.Null()
    if warehouse.first_row is not None:
        number = exp.Window(this=exp.RowNumber())
    rows = exp.select(
        exp.alias_(raw, "raw_text"),
        exp.alias_(parsed, "parsed"),
        exp.alias_(text.copy() if text is not None else raw.copy(), "filled_text"),
        exp.alias_(number, "row_number"),
        exp.alias_(any_filled(plan), "is_filled"),
    ).from_(warehouse.relation.copy())
    if plan.country is not None:
        chosen = exp.EQ(
            this=exp.cast(exp.column(plan.country.name, quoted=True), "VARCHAR"),
            expression=exp.Literal.string(config.country()),
        )
        rows = rows.select(exp.alias_(chosen, "is_chosen"))
    parsed_ = exp.column("parsed")
    bad: exp.Expr = exp.Is(this=parsed_, expression=exp.Null())
    if readable:
        bad = exp.not_(bad)
    elif text is None:
        bad = exp.or_(bad, exp.not_(usual_day(parsed_.copy())))
    else:
        bad = exp.and_(bad, exp.not_(exp.Is(this=exp.column("filled_text"), expression=exp.Null())))
    query = exp.select("raw_text", "row_number").from_(rows.subquery("numbered")).where(bad)
    query = query.where(exp.column("is_filled"))
    if plan.country is not None:
        query = query.where(exp.column("is_chosen"))
    found = []
    for raw_value, row in _query_rows(warehouse, query.limit(_MAX_EXAMPLES)):
        shown = str(raw_value).strip()[:40] if raw_value is not None else ""
        at = None
        if isinstance(row, int) and warehouse.first_row is not None:
            at = row + warehouse.first_row - 1
        found.append(Example(column=name or config.date.column, text=shown or None, row=at))
    return found


def _query_rows(warehouse: Warehouse, query: exp.Select) -> list[tuple[object, ...]]:
    """Return the rows of a small query; empty if the query fails."""
    try:
        return arrow_rows(warehouse.stream(query.sql(dialect=warehouse.dialect)))
    except CancelledError:
        raise
    except MMMError:
        return []
