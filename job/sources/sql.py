"""Build the extraction's SQL: one builder, three dialects, one row per period.

The query has these steps:

```
given    the rows of one country: the day, the timestamp and the parsed value of every column
source   the rows in the date window; NaN and infinities become NULL
marked   `source` with the timestamp of the period's first or last value (if a column needs it)
days     one row per day; each column's aggregation combines the rows of a day
periods  one row per day, week or month
```

Each period also has the evidence for the gate: the number of rows, days, days without a value, and
unreadable or negative values. So one query serves both the model and the gate. The query uses its
own names (`v0`, `v1`, …), so no name from a config or a table becomes an unquoted identifier.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlglot import exp

from contract.config import Aggregation, Config, Frequency, NumberFormat, Weekday
from contract.numbers import BLANKS
from job.sources.date_texts import FIRST_DAY, LAST_DAY
from job.sources.plan import Column, Plan
from job.sources.schema import Kind
from job.sources.sql_dates import ANCHOR, clock, parse_date
from job.sources.sql_dates import column as _column
from job.sources.sql_dates import date_ as _date
from job.sources.sql_dates import number as _number
from job.sources.sql_dates import text_ as _text

PERIOD_EVIDENCE = (
    *("rows_read", "days", "first_day", "last_day", "repeated", "identical"),
    *("first_clock", "last_clock"),
)
_LARGEST_FLOAT = "1.7976931348623157e308"


def build(config: Config, plan: Plan, relation: exp.Expr) -> exp.Select:
    """Return the query as a syntax tree; `.sql(dialect=…)` writes it.

    The result has the columns `result_names(plan)` and one row per period, in order. If some dates
    are unreadable, the first row has no period and counts their rows.
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
    """Return the names of the result's columns."""
    values = [f"v{i}" for i in range(len(plan.columns))]
    evidence = [f"{kind}{i}" for i, kind in column_evidence(plan)]
    return ["period", *values, *PERIOD_EVIDENCE, *evidence]


def column_evidence(plan: Plan) -> Iterator[tuple[int, str]]:
    """Yield (position of a column, kind of evidence) for everything counted per column."""
    for i, column in enumerate(plan.columns):
        yield i, "empty"
        if column.reads_text:
            yield i, "unreadable"
        if not column.as_text:
            yield i, "negative"
        if column.aggregation is Aggregation.SUM:
            yield i, "same"
            if column.role in ("target", "spend"):
                yield i, "distinct"


def _given(config: Config, plan: Plan, relation: exp.Expr) -> exp.Select:
    """Select each row's day, timestamp and values, and the text of numbers parsed from text."""
    columns = list(enumerate(plan.columns))
    query = exp.select(
        exp.alias_(parse_date(config, plan), "day"),
        exp.alias_(_moment(config, plan), "moment"),
        exp.alias_(clock(config, plan), "clock"),
        *(exp.alias_(value(column), f"v{i}") for i, column in columns),
        *(exp.alias_(raw_text(column), f"t{i}") for i, column in columns if column.reads_text),
    ).from_(relation)
    query = query.where(any_filled(plan))
    if plan.country is not None:
        country = exp.cast(_column(plan.country.name), "VARCHAR")
        query = query.where(exp.EQ(this=country, expression=_text(config.country())))
    return query


def _used(plan: Plan) -> Iterator[tuple[str, Kind]]:
    """Yield (name, kind) of the date and of every column of the model."""
    yield plan.date.name, plan.date.kind
    for column in plan.columns:
        yield column.field.name, column.field.kind


def any_filled(plan: Plan) -> exp.Expr:
    """Return the condition that a row has a value in any column of the config."""
    return exp.or_(*(_filled(name, kind) for name, kind in _used(plan)))


def _filled(name: str, kind: Kind) -> exp.Expr:
    """Return the condition that a cell is not blank; rows of blank cells only are left out."""
    if kind is Kind.TEXT:
        return exp.NEQ(this=exp.Trim(this=_column(name)), expression=_text(""))
    return exp.not_(exp.Is(this=_column(name), expression=exp.Null()))


def _moment(config: Config, plan: Plan) -> exp.Expr:
    """Return the expression that orders rows of a day: the timestamp, or else the date."""
    if plan.date.kind in (Kind.TIMESTAMP, Kind.TIMESTAMP_TZ):
        return _column(plan.date.name)
    return parse_date(config, plan)


def value(column: Column) -> exp.Expr:
    """Return a column's value in the type that is aggregated; NULL if missing or unreadable."""
    raw = _column(column.field.name)
    kind = column.field.kind
    if column.as_text:
        text = exp.cast(raw, "VARCHAR")
        blank = exp.EQ(this=exp.Trim(this=text.copy()), expression=_text(""))
        return exp.Case().when(exp.not_(blank), text)
    if kind is Kind.BOOLEAN:
        return exp.Case().when(raw, _number(1)).when(exp.not_(raw.copy()), _number(0))
    if kind is Kind.TEXT:
        return parse_number(raw, column.numbers)
    return exp.cast(raw, "DOUBLE") if kind is Kind.FLOAT else raw


def parse_number(raw: exp.Expr, numbers: NumberFormat) -> exp.Expr:
    """Return the number that a text writes; NULL if it writes none in this format."""
    double = exp.DataType.build("double")
    text: exp.Expr = exp.Trim(this=raw)
    if numbers == NumberFormat(missing=numbers.missing):
        return exp.TryCast(this=text, to=double, requires_string=True)
    zero = [_text(token) for token in numbers.zero]
    whole = text.copy()
    for symbol in numbers.symbols:
        text = _replace(text, symbol, "")
    if numbers.parentheses:
        text = _replace(_replace(text, "(", "-"), ")", "")
    for sign in "+-":
        text = _replace(text, f"{sign} ", sign)
    text = exp.Trim(this=text)
    pattern = f"^[+-]?{numbers.pattern}$"
    body: exp.Expr = text.copy()
    if numbers.thousands is not None:
        for separator in BLANKS if numbers.thousands == " " else numbers.thousands:
            body = _replace(body, separator, "")
    if numbers.decimal == ",":
        body = _replace(body, ",", ".")
    number = exp.TryCast(this=body, to=double, requires_string=True)
    case = exp.Case()
    if zero:
        case = case.when(exp.In(this=whole, expressions=zero), _number("0.0"))
    return case.when(exp.RegexpLike(this=text, expression=_text(pattern)), number)


def _replace(text: exp.Expr, old: str, new: str) -> exp.Expr:
    return exp.Replace(this=text, expression=_text(old), replacement=_text(new))


def raw_text(column: Column) -> exp.Expr:
    """Return the text of a value, with NULL for blank text and text that means no value."""
    text: exp.Expr = exp.Trim(this=_column(column.field.name))
    for token in ("", *column.numbers.missing):
        text = exp.Nullif(this=text, expression=_text(token))
    return text


def _source(config: Config, plan: Plan) -> exp.Select:
    """Select the rows in the date window, with finite numbers only."""
    parts: list[exp.Expr] = [
        exp.column("day", table="given"),
        exp.column("moment", table="given"),
        exp.column("clock", table="given"),
    ]
    for i, column in enumerate(plan.columns):
        v: exp.Expr = exp.column(f"v{i}", table="given")
        if column.field.kind in (Kind.FLOAT, Kind.TEXT) and not column.as_text:
            # NaN is above all numbers in DuckDB and Snowflake, and equal to none in BigQuery
            within = exp.Between(
                this=v, low=_number(f"-{_LARGEST_FLOAT}"), high=_number(_LARGEST_FLOAT)
            )
            v = exp.Case().when(within, v.copy())
        parts.append(exp.alias_(v, f"v{i}"))
        if column.reads_text:
            parts.append(exp.column(f"t{i}", table="given"))
    query = exp.select(*parts).from_("given")
    window = _window(config)
    return query if window is None else query.where(window)


def usual_day(day: exp.Expr) -> exp.Expr:
    """Return the condition that a day is none that no data has, such as 9999-12-31."""
    return exp.Between(this=day, low=_date(FIRST_DAY), high=_date(LAST_DAY))


def _window(config: Config) -> exp.Expr | None:
    """Return the condition of the date window; it keeps unreadable dates, which are counted."""
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
    """Add to each row, per column, the timestamp of its period's first or last value."""
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
    """Combine rows into one row per day."""
    everything = exp.Count(this=exp.Star())
    several = exp.GT(this=everything, expression=_number(1))
    same: list[exp.Expr] = [several.copy()]
    parts: list[exp.Expr] = [
        exp.column("day", table=rows),
        exp.alias_(everything.copy(), "rows_read"),
        exp.alias_(exp.Min(this=exp.column("clock", table=rows)), "first_clock"),
        exp.alias_(exp.Max(this=exp.column("clock", table=rows)), "last_clock"),
    ]
    for i, column in enumerate(plan.columns):
        v = exp.column(f"v{i}", table=rows)
        valid = exp.Count(this=v)
        empty = exp.EQ(this=valid.copy(), expression=_number(0))
        parts.append(exp.alias_(_combined(column, i, rows), f"v{i}"))
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
        if column.aggregation is Aggregation.SUM:
            zero = exp.EQ(this=exp.Max(this=v.copy()), expression=_number(0))
            repeated = exp.and_(several.copy(), equal.copy(), all_valid.copy(), exp.not_(zero))
            parts.append(exp.alias_(_flag(repeated), f"same{i}"))
            if column.role in ("target", "spend"):
                unique = exp.Count(this=exp.Distinct(expressions=[v.copy()]))
                parts.append(exp.alias_(unique, f"distinct{i}"))
        same.append(exp.paren(exp.or_(none_valid, exp.and_(equal, all_valid))))
    parts.append(exp.alias_(_flag(several), "repeated"))
    parts.append(exp.alias_(_flag(exp.and_(*same)), "identical"))
    return exp.select(*parts).from_(rows).group_by(exp.column("day", table=rows))


def _combined(column: Column, i: int, rows: str) -> exp.Expr:
    """Return the expression that combines the rows of a day into one value."""
    v = exp.column(f"v{i}", table=rows)
    if _is_positional(column):
        chosen = exp.EQ(
            this=exp.column("moment", table=rows), expression=exp.column(f"k{i}", table=rows)
        )
        return _extreme(column, exp.Case().when(chosen, v))
    return _aggregate(column.aggregation, v)


def _periods(config: Config, plan: Plan) -> exp.Select:
    """Combine days into one row per period."""
    day = exp.column("day", table="days")
    parts: list[exp.Expr] = [exp.alias_(period_of(config, day), "period")]
    for i, column in enumerate(plan.columns):
        v = exp.column(f"v{i}", table="days")
        combined = (
            _extreme(column, v) if _is_positional(column) else _aggregate(column.aggregation, v)
        )
        typed = combined if column.as_text else exp.cast(combined, "DOUBLE")
        parts.append(exp.alias_(typed, f"v{i}"))
    parts += [
        exp.alias_(exp.Sum(this=exp.column("rows_read", table="days")), "rows_read"),
        exp.alias_(exp.Count(this=exp.Star()), "days"),
        exp.alias_(exp.Min(this=day.copy()), "first_day"),
        exp.alias_(exp.Max(this=day.copy()), "last_day"),
        exp.alias_(exp.Sum(this=exp.column("repeated", table="days")), "repeated"),
        exp.alias_(exp.Sum(this=exp.column("identical", table="days")), "identical"),
        exp.alias_(exp.Min(this=exp.column("first_clock", table="days")), "first_clock"),
        exp.alias_(exp.Max(this=exp.column("last_clock", table="days")), "last_clock"),
    ]
    for i, kind in column_evidence(plan):
        parts.append(exp.alias_(exp.Sum(this=exp.column(f"{kind}{i}", table="days")), f"{kind}{i}"))
    return exp.select(*parts).from_("days").group_by(period_of(config, day.copy()))


def period_of(config: Config, day: exp.Expr) -> exp.Expr:
    """Return the first day of the period that contains `day`."""
    if config.date.frequency is Frequency.DAY:
        return day
    if config.date.frequency is Frequency.MONTH:
        month = exp.DateTrunc(this=day, unit=_text("MONTH"))  # type: ignore[no-untyped-call]
        return exp.cast(month, "DATE")
    # counted from a fixed day, because a warehouse's own weeks depend on its settings
    offset = list(Weekday).index(config.date.week_start)
    anchor = _date(date.fromordinal(ANCHOR.toordinal() + offset))
    since = exp.DateDiff(this=day.copy(), expression=anchor, unit=exp.var("DAY"))
    into = exp.Mod(this=since, expression=_number(7))
    return exp.cast(exp.DateSub(this=day, expression=into, unit=exp.var("DAY")), "DATE")


def _aggregate(aggregation: Aggregation, v: exp.Expr) -> exp.Expr:
    if aggregation is Aggregation.MEAN:
        count = exp.Nullif(this=exp.Count(this=v.copy()), expression=_number(0))
        return exp.Div(
            this=exp.cast(exp.Sum(this=v), "DOUBLE"), expression=exp.cast(count, "DOUBLE")
        )
    function = {Aggregation.MIN: exp.Min, Aggregation.MAX: exp.Max}.get(aggregation, exp.Sum)
    return function(this=v)


def _extreme(column: Column, v: exp.Expr) -> exp.Expr:
    """Return the minimum for `first` and the maximum for `last`, also among equal timestamps."""
    return (exp.Min if column.aggregation is Aggregation.FIRST else exp.Max)(this=v)


def _is_positional(column: Column) -> bool:
    return column.aggregation in (Aggregation.FIRST, Aggregation.LAST)


def _flag(condition: exp.Expr) -> exp.Expr:
    return exp.Case().when(condition, _number(1)).else_(_number(0))
