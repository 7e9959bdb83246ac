"""The extraction as SQL: one builder, three dialects, one row per period.

```
given    the table's rows of one country: the day, the moment, every column as it will be used
source   those in the date window; NaN and the infinities are missing values
marked   beside each row the moment of its period's first or last value (where a column needs it)
days     one row per day: rows of the same day joined by the column's aggregation
periods  one row per day, week or month
```
Beside its values every period carries what the gate wants to know of the rows behind it (rows,
days, days without a value, values that are unreadable or negative), so one read serves both.
Names inside the query are made up (`v0`, `v1`, …): nothing that a config or a table says becomes
an unquoted identifier.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlglot import exp

from contract.config import Aggregation, Config, Frequency, Weekday
from job.sources.plan import Column, Plan
from job.sources.schema import Kind

ANCHOR = date(1800, 1, 6)  # a Monday before any data
PERIOD_EVIDENCE = ("rows_read", "days", "first_day", "last_day", "repeated", "identical")
_LARGEST = "1.7976931348623157e308"


def build(config: Config, plan: Plan, relation: exp.Expr) -> exp.Select:
    """The whole query as a tree; `.sql(dialect=…)` writes it.

    Its columns are `result_names(plan)`, one row per period in order; the first row has no period
    and counts the rows whose date cannot be read, if there are any.
    """
    query = exp.select(*(exp.column(name, table="periods") for name in result_names(plan))).from_(
        "periods"
    )
    query = query.order_by(
        exp.Ordered(this=exp.column("period", table="periods"), nulls_first=True)
    )
    query = query.with_("given", as_=_given(config, plan, relation))
    query = query.with_("source", as_=_source(config, plan))
    positional = [i for i, column in enumerate(plan.columns) if _is_positional(column)]
    if positional:
        query = query.with_("marked", as_=_marked(config, plan, positional))
    query = query.with_("days", as_=_days(plan, "marked" if positional else "source"))
    return query.with_("periods", as_=_periods(config, plan))


def result_names(plan: Plan) -> list[str]:
    """Names of the result's columns."""
    values = [f"v{i}" for i in range(len(plan.columns))]
    evidence = [f"{kind}{i}" for i, kind in column_evidence(plan)]
    return ["period", *values, *PERIOD_EVIDENCE, *evidence]


def column_evidence(plan: Plan) -> Iterator[tuple[int, str]]:
    """What is counted of each column: (position of the column, what)."""
    for i, column in enumerate(plan.columns):
        yield i, "empty"
        if column.reads_text:
            yield i, "unreadable"
        if not column.as_text:
            yield i, "negative"


def _given(config: Config, plan: Plan, relation: exp.Expr) -> exp.Select:
    """Every row as day, moment, values, and the text of what should be a number."""
    columns = list(enumerate(plan.columns))
    query = exp.select(
        exp.alias_(parse_date(config, plan), "day"),
        exp.alias_(_moment(config, plan), "moment"),
        *(exp.alias_(value(column), f"v{i}") for i, column in columns),
        *(exp.alias_(_filled(column), f"t{i}") for i, column in columns if column.reads_text),
    ).from_(relation)
    if plan.country is not None:
        country = exp.cast(_column(plan.country.name), "VARCHAR")
        query = query.where(exp.EQ(this=country, expression=_text(config.country())))
    return query


def parse_date(config: Config, plan: Plan) -> exp.Expr:
    """The date column as a DATE; NULL where it cannot be read."""
    raw = _column(plan.date.name)
    kind = plan.date.kind
    if kind is Kind.DATE:
        return raw
    if kind is Kind.TIMESTAMP:
        return exp.cast(raw, "DATE")
    if kind is Kind.TIMESTAMP_TZ:
        return exp.cast(exp.AtTimeZone(this=raw, zone=_text(config.date.timezone)), "DATE")
    text: exp.Expr = exp.Trim(this=exp.cast(raw, "VARCHAR"))
    if config.date.format is None:
        text = exp.Substring(this=text, start=_number(1), length=_number(10))
    form = _text(config.date.format or "%Y-%m-%d")
    return exp.cast(exp.TsOrDsToDate(this=text, format=form, safe=True), "DATE")


def _moment(config: Config, plan: Plan) -> exp.Expr:
    """What orders rows of the same day: the time where there is one."""
    if plan.date.kind in (Kind.TIMESTAMP, Kind.TIMESTAMP_TZ):
        return _column(plan.date.name)
    return parse_date(config, plan)


def value(column: Column) -> exp.Expr:
    """A column's value in the type that is added up; NULL where missing or unreadable."""
    raw = _column(column.field.name)
    kind = column.field.kind
    if column.as_text:
        text = exp.cast(raw, "VARCHAR")
        blank = exp.EQ(this=exp.Trim(this=text.copy()), expression=_text(""))
        return exp.Case().when(exp.not_(blank), text)
    if kind is Kind.BOOLEAN:
        return exp.Case().when(raw, _number(1)).when(exp.not_(raw.copy()), _number(0))
    if kind is Kind.TEXT:
        double = exp.DataType.build("double")
        return exp.TryCast(this=exp.Trim(this=raw), to=double, requires_string=True)
    return exp.cast(raw, "DOUBLE") if kind is Kind.FLOAT else raw


def _filled(column: Column) -> exp.Expr:
    """The text of a value, NULL where blank."""
    return exp.Nullif(this=exp.Trim(this=_column(column.field.name)), expression=_text(""))


def _source(config: Config, plan: Plan) -> exp.Select:
    """Rows in the date window, every number finite."""
    parts: list[exp.Expr] = [
        exp.column("day", table="given"),
        exp.column("moment", table="given"),
    ]
    for i, column in enumerate(plan.columns):
        v: exp.Expr = exp.column(f"v{i}", table="given")
        if column.field.kind in (Kind.FLOAT, Kind.TEXT) and not column.as_text:
            # NaN is greater than all numbers in DuckDB and Snowflake, unequal to all in BigQuery
            within = exp.Between(this=v, low=_number(f"-{_LARGEST}"), high=_number(_LARGEST))
            v = exp.Case().when(within, v.copy())
        parts.append(exp.alias_(v, f"v{i}"))
        if column.reads_text:
            parts.append(exp.column(f"t{i}", table="given"))
    query = exp.select(*parts).from_("given")
    window = _window(config)
    return query if window is None else query.where(window)


def _window(config: Config) -> exp.Expr | None:
    """The date window; days that cannot be read stay, to be counted."""
    within: list[exp.Expr] = []
    if config.date.start is not None:
        within.append(
            exp.GTE(this=exp.column("day", table="given"), expression=_date(config.date.start))
        )
    if config.date.end is not None:
        within.append(
            exp.LTE(this=exp.column("day", table="given"), expression=_date(config.date.end))
        )
    if not within:
        return None
    unread = exp.Is(this=exp.column("day", table="given"), expression=exp.Null())
    return exp.or_(unread, exp.and_(*within))


def _marked(config: Config, plan: Plan, positional: list[int]) -> exp.Select:
    """Beside each row the moment of its period's first or last value, per column."""
    windows = []
    for i in positional:
        present = exp.not_(exp.Is(this=exp.column(f"v{i}", table="source"), expression=exp.Null()))
        seen = exp.Case().when(present, exp.column("moment", table="source"))
        window = exp.Window(
            this=_extreme(plan.columns[i], seen),
            partition_by=[period_of(config, exp.column("day", table="source"))],
        )
        windows.append(exp.alias_(window, f"k{i}"))
    return exp.select("*", *windows).from_("source")


def _days(plan: Plan, rows: str) -> exp.Select:
    """One row per day."""
    everything = exp.Count(this=exp.Star())
    several = exp.GT(this=everything, expression=_number(1))
    same: list[exp.Expr] = [several.copy()]
    parts: list[exp.Expr] = [
        exp.column("day", table=rows),
        exp.alias_(everything.copy(), "rows_read"),
    ]
    for i, column in enumerate(plan.columns):
        v = exp.column(f"v{i}", table=rows)
        valid = exp.Count(this=v)
        empty = exp.EQ(this=valid.copy(), expression=_number(0))
        parts.append(exp.alias_(_joined(column, i, rows), f"v{i}"))
        if column.reads_text:
            filled = exp.Count(this=exp.column(f"t{i}", table=rows))
            unreadable = exp.Sub(this=filled, expression=valid.copy())
            parts.append(exp.alias_(unreadable, f"unreadable{i}"))
            empty = exp.EQ(this=filled.copy(), expression=_number(0))
        parts.append(exp.alias_(_flag(empty), f"empty{i}"))
        if not column.as_text:
            negative = exp.LT(this=v.copy(), expression=_number(0))
            parts.append(exp.alias_(exp.Sum(this=_flag(negative)), f"negative{i}"))
        equal = exp.EQ(this=exp.Min(this=v.copy()), expression=exp.Max(this=v.copy()))
        all_valid = exp.EQ(this=valid.copy(), expression=everything.copy())
        none_valid = exp.EQ(this=valid.copy(), expression=_number(0))
        same.append(exp.paren(exp.or_(none_valid, exp.and_(equal, all_valid))))
    parts.append(exp.alias_(_flag(several), "repeated"))
    parts.append(exp.alias_(_flag(exp.and_(*same)), "identical"))
    return exp.select(*parts).from_(rows).group_by(exp.column("day", table=rows))


def _joined(column: Column, i: int, rows: str) -> exp.Expr:
    """Rows of one day as one value."""
    v = exp.column(f"v{i}", table=rows)
    if _is_positional(column):
        chosen = exp.EQ(
            this=exp.column("moment", table=rows), expression=exp.column(f"k{i}", table=rows)
        )
        return _extreme(column, exp.Case().when(chosen, v))
    return _aggregate(column.aggregation, v)


def _periods(config: Config, plan: Plan) -> exp.Select:
    """One row per period."""
    day = exp.column("day", table="days")
    parts: list[exp.Expr] = [exp.alias_(period_of(config, day), "period")]
    for i, column in enumerate(plan.columns):
        v = exp.column(f"v{i}", table="days")
        joined = (
            _extreme(column, v) if _is_positional(column) else _aggregate(column.aggregation, v)
        )
        parts.append(exp.alias_(joined if column.as_text else exp.cast(joined, "DOUBLE"), f"v{i}"))
    parts += [
        exp.alias_(exp.Sum(this=exp.column("rows_read", table="days")), "rows_read"),
        exp.alias_(exp.Count(this=exp.Star()), "days"),
        exp.alias_(exp.Min(this=day.copy()), "first_day"),
        exp.alias_(exp.Max(this=day.copy()), "last_day"),
        exp.alias_(exp.Sum(this=exp.column("repeated", table="days")), "repeated"),
        exp.alias_(exp.Sum(this=exp.column("identical", table="days")), "identical"),
    ]
    for i, kind in column_evidence(plan):
        parts.append(exp.alias_(exp.Sum(this=exp.column(f"{kind}{i}", table="days")), f"{kind}{i}"))
    return exp.select(*parts).from_("days").group_by(period_of(config, day.copy()))


def period_of(config: Config, day: exp.Expr) -> exp.Expr:
    """First day of the day's period."""
    if config.date.frequency is Frequency.DAY:
        return day
    if config.date.frequency is Frequency.MONTH:
        month = exp.DateTrunc(this=day, unit=_text("MONTH"))  # type: ignore[no-untyped-call]
        return exp.cast(month, "DATE")
    # counted from a known day, for what a warehouse calls a week depends on its settings
    offset = list(Weekday).index(config.date.week_start)
    anchor = _date(date.fromordinal(ANCHOR.toordinal() + offset))
    since = exp.DateDiff(this=day.copy(), expression=anchor, unit=exp.var("DAY"))
    into = exp.Mod(this=since, expression=_number(7))
    return exp.cast(exp.DateSub(this=day, expression=into, unit=exp.var("DAY")), "DATE")


def _aggregate(how: Aggregation, v: exp.Expr) -> exp.Expr:
    if how is Aggregation.MEAN:
        count = exp.Nullif(this=exp.Count(this=v.copy()), expression=_number(0))
        return exp.Div(
            this=exp.cast(exp.Sum(this=v), "DOUBLE"), expression=exp.cast(count, "DOUBLE")
        )
    made = {Aggregation.MIN: exp.Min, Aggregation.MAX: exp.Max}.get(how, exp.Sum)
    return made(this=v)


def _extreme(column: Column, v: exp.Expr) -> exp.Expr:
    """Smallest for `first`, largest for `last`: also the rule where moments are equal."""
    return (exp.Min if column.aggregation is Aggregation.FIRST else exp.Max)(this=v)


def _is_positional(column: Column) -> bool:
    return column.aggregation in (Aggregation.FIRST, Aggregation.LAST)


def _flag(condition: exp.Expr) -> exp.Expr:
    return exp.Case().when(condition, _number(1)).else_(_number(0))


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)


def _text(value: str) -> exp.Literal:
    return exp.Literal.string(value)


def _number(value: int | str) -> exp.Expr:
    return exp.Literal.number(value)


def _date(value: date) -> exp.Expr:
    return exp.cast(_text(value.isoformat()), "DATE")
