"""Explain an empty or unreadable result: run a small query whose answer goes into the error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from sqlglot import exp

from contract.config import Config
from contract.exceptions import CancelledError, DataError, MMMError
from contract.suggest import did_you_mean
from job.sources.date_texts import date_remedy
from job.sources.plan import Column, Plan
from job.sources.schema import Field, Kind
from job.sources.snapshot import Evidence, Example, Notice
from job.sources.sql import any_filled, raw_text, usual_day, value
from job.sources.sql_dates import date_, parse_date
from job.sources.warehouse import Warehouse, arrow_rows

_MAX_COUNTRIES = 20
_MAX_EXAMPLES = 3
_MAX_QUERIES = 8  # each reads a file once more


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
        day = parse_date(config, plan)
        bad = exp.or_(_is_null(day), exp.not_(usual_day(day.copy())))
        found += _examples(config, plan, warehouse, plan.date, bad)
    for column in plan.columns:
        if column.name in columns:
            bad = exp.and_(_is_null(value(column)), exp.not_(_is_null(raw_text(column))))
            found += _examples(config, plan, warehouse, column.field, bad, column.name)
    return tuple(found)


def faulty_rows(
    config: Config, plan: Plan, warehouse: Warehouse, notices: Iterable[Notice]
) -> tuple[Example, ...]:
    """Return up to three missing and three negative values of a file's columns, with their rows.

    A warehouse has no rows to name, and its query costs money; there the periods say enough.
    """
    if warehouse.first_row is None:
        return ()
    faults: dict[str, dict[Literal["missing", "negative"], None]] = {}
    for notice in notices:
        found = faults.setdefault(notice.column, {})
        found |= {"missing": None} if notice.missing else {}
        found |= {"negative": None} if notice.negative else {}
    pairs = [(column, fault) for column in plan.columns for fault in faults.get(column.name, ())]
    return tuple(
        replace(example, fault=fault)
        for column, fault in pairs[:_MAX_QUERIES]
        for example in _faulty(config, plan, warehouse, column, fault)
    )


def _faulty(
    config: Config, plan: Plan, warehouse: Warehouse, column: Column, fault: str
) -> list[Example]:
    number = value(column)
    bad: exp.Expr = exp.LT(this=number.copy(), expression=exp.Literal.number(0))
    if fault == "missing":
        is_text = column.field.kind is Kind.TEXT and not column.as_text
        empty = raw_text(column) if is_text else number
        bad = _is_null(empty)
    day = parse_date(config, plan)
    for limit, compare in ((config.date.start, exp.GTE), (config.date.end, exp.LTE)):
        if limit is not None:
            bad = exp.and_(bad, compare(this=day.copy(), expression=date_(limit)))
    return _examples(config, plan, warehouse, column.field, bad, column.name)


def readable_date(config: Config, plan: Plan, warehouse: Warehouse) -> Example | None:
    """Return the first date that is read, with its row."""
    is_read = exp.not_(_is_null(parse_date(config, plan)))
    found = _examples(config, plan, warehouse, plan.date, is_read)
    return found[0] if found else None


def _is_null(expression: exp.Expr) -> exp.Expr:
    return exp.Is(this=exp.paren(expression), expression=exp.Null())


def _examples(
    config: Config,
    plan: Plan,
    warehouse: Warehouse,
    field: Field,
    condition: exp.Expr,
    name: str | None = None,
) -> list[Example]:
    """Return the first values of a field in rows that meet a condition."""
    raw = exp.cast(exp.column(field.name, quoted=True), "VARCHAR")
    number: exp.Expr = exp.Null()
    if warehouse.first_row is not None:
        number = exp.Window(this=exp.RowNumber())
    rows = exp.select(
        exp.alias_(raw, "raw_text"),
        exp.alias_(exp.paren(condition), "is_meant"),
        exp.alias_(number, "row_number"),
        exp.alias_(any_filled(plan), "is_filled"),
    ).from_(warehouse.relation.copy())
    if plan.country is not None:
        chosen = exp.EQ(
            this=exp.cast(exp.column(plan.country.name, quoted=True), "VARCHAR"),
            expression=exp.Literal.string(config.country()),
        )
        rows = rows.select(exp.alias_(chosen, "is_chosen"))
    query = exp.select("raw_text", "row_number").from_(rows.subquery("numbered"))
    query = query.where(exp.column("is_meant"))
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
