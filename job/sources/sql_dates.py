"""Build the SQL that reads the date column: the day of each row, and its time of day.

A moment with a time zone belongs to its day in `date.timezone`. A moment without a zone is UTC if
`date.timezone` is set; otherwise its own day is used.
"""

from __future__ import annotations

import re
from datetime import date

from sqlglot import exp

from contract.config import Config
from job.sources.date_texts import (
    AFTERNOON,
    EXCEL,
    HOUR,
    LETTERS,
    MINUTE,
    MONTHS,
    MORNING,
    TIME,
    has_month_name,
    named_pattern,
    year_first,
)
from job.sources.plan import Plan
from job.sources.schema import Kind

ANCHOR = date(1800, 1, 6)  # a Monday before all data
_EPOCH = date(1970, 1, 1)
_ZONE_HOURS = "[0-9]:[0-9:.]+ ?([+-][0-9]{2}):?[0-9]{0,2}$"
_ZONE_MINUTES = "[0-9]:[0-9:.]+ ?[+-][0-9]{2}:?([0-9]{2})$"


def parse_date(config: Config, plan: Plan) -> exp.Expr:
    """Return the date column as a DATE, with NULL for unreadable dates."""
    raw = column(plan.date.name)
    kind, zone = plan.date.kind, config.date.timezone
    if kind is Kind.DATE:
        return raw
    if kind is Kind.TIMESTAMP_TZ:
        return exp.cast(exp.AtTimeZone(this=raw, zone=text_(zone)), "DATE")
    written = exp.cast(raw, "DATE") if kind is Kind.TIMESTAMP else _written_day(config, plan)
    if zone == "UTC":
        return written
    minutes = clock(config, plan)
    since = exp.DateDiff(this=written.copy(), expression=date_(_EPOCH), unit=exp.var("DAY"))
    total = exp.Add(this=exp.Mul(this=since, expression=number(1440)), expression=minutes)
    epoch = exp.cast(text_(f"{_EPOCH} 00:00:00+00:00"), "TIMESTAMPTZ")
    moment = exp.TimestampAdd(this=epoch, expression=exp.paren(total), unit=exp.var("MINUTE"))
    local = exp.cast(exp.AtTimeZone(this=exp.paren(moment), zone=text_(zone)), "DATE")
    has_time = exp.not_(exp.Is(this=exp.paren(minutes.copy()), expression=exp.Null()))
    return exp.Case().when(has_time, local).else_(written)


def clock(config: Config, plan: Plan) -> exp.Expr:
    """Return the time of day in minutes after midnight UTC; NULL if a row has no time.

    A text with an offset from UTC keeps its own time unless `date.timezone` is set.
    """
    kind = plan.date.kind
    raw: exp.Expr = column(plan.date.name)
    if kind is Kind.TIMESTAMP_TZ:
        raw = exp.AtTimeZone(this=raw, zone=text_("UTC"))
    if kind in (Kind.TIMESTAMP, Kind.TIMESTAMP_TZ):
        hours, minutes = (
            exp.cast(exp.Extract(this=exp.var(unit), expression=raw.copy()), "INT")
            for unit in ("HOUR", "MINUTE")
        )
        return exp.Add(this=exp.Mul(this=hours, expression=number(60)), expression=minutes)
    if kind is not Kind.TEXT:
        return exp.cast(exp.Null(), "INT")
    text = exp.Trim(this=raw)
    hour = _found(text, HOUR)
    late = exp.and_(_matches(text, AFTERNOON), exp.LT(this=hour.copy(), expression=number(12)))
    early = exp.and_(_matches(text, MORNING), exp.EQ(this=hour.copy(), expression=number(12)))
    whole = (
        exp.Case()
        .when(late, exp.Add(this=hour.copy(), expression=number(12)))
        .when(early, number(0))
        .else_(hour)
    )
    written = exp.Add(
        this=exp.Mul(this=whole, expression=number(60)), expression=_found(text, MINUTE)
    )
    if config.date.timezone == "UTC":
        return written
    ahead, rest = (_or_zero(_found(text, part)) for part in (_ZONE_HOURS, _ZONE_MINUTES))
    west = exp.Like(this=text.copy(), expression=text_("%-__:__"))
    signed = exp.Case().when(west, exp.Neg(this=rest.copy())).else_(rest)
    offset = exp.Add(this=exp.Mul(this=ahead, expression=number(60)), expression=signed)
    return exp.Sub(this=written, expression=exp.paren(offset))


def _found(text: exp.Expr, pattern: str) -> exp.Expr:
    """Return the number in the only group of a pattern; NULL if the text does not match."""
    group = exp.RegexpExtract(this=text.copy(), expression=text_(pattern), group=number(1))
    return exp.TryCast(this=group, to=exp.DataType.build("int"), requires_string=True)


def _matches(text: exp.Expr, pattern: str) -> exp.Expr:
    return exp.RegexpLike(this=text.copy(), expression=text_(f".*{pattern}.*"))


def _or_zero(value: exp.Expr) -> exp.Expr:
    return exp.Coalesce(this=value, expressions=[number(0)])


def _written_day(config: Config, plan: Plan) -> exp.Expr:
    """Return the day that a text writes."""
    text: exp.Expr = exp.Trim(this=exp.cast(column(plan.date.name), "VARCHAR"))
    written = config.date.format
    if written is None:
        text = exp.Substring(this=text, start=number(1), length=number(10))
        return _iso_day(text)
    if written == EXCEL:
        days = exp.TryCast(this=text, to=exp.DataType.build("double"), requires_string=True)
        whole = exp.cast(exp.Floor(this=days), "INT")
        serial = exp.Between(this=days.copy(), low=number(1), high=number(132000))
        first = date_(date(1899, 12, 30))
        moved = exp.cast(exp.DateAdd(this=first, expression=whole, unit=exp.var("DAY")), "DATE")
        return exp.Case().when(serial, moved)
    if "%V" in written:
        return _monday_of_iso_week(text, written)
    # a time after the date does not change the day
    text = exp.RegexpReplace(this=text, expression=text_(TIME.pattern), replacement=text_(""))
    if has_month_name(written):
        return _day_with_month_name(text, written)
    day_format = re.sub(r"[ T]%[HI].*$", "", written)
    if "%d" not in day_format:
        text, day_format = exp.DPipe(this=text_("01 "), expression=text), f"%d {day_format}"
    return exp.cast(exp.TsOrDsToDate(this=text, format=text_(day_format), safe=True), "DATE")


def _iso_day(text: exp.Expr) -> exp.Expr:
    parsed = exp.TsOrDsToDate(this=text.copy(), format=text_("%Y-%m-%d"), safe=True)
    # without this, `03-01-22` would be a day of the year 3
    four_digits = exp.Like(this=text, expression=text_("____-%"))
    return exp.Case().when(four_digits, exp.cast(parsed, "DATE"))


def _day_with_month_name(text: exp.Expr, written: str) -> exp.Expr:
    """Return the day of a date with the name of a month, in any of the known languages."""
    text = exp.Lower(this=text)
    name = exp.RegexpExtract(this=text.copy(), expression=text_(LETTERS), group=number(1))
    month = exp.Case()
    for length in (4, 3):
        for number_of_month in range(1, 13):
            names = [k for k, v in MONTHS.items() if v == number_of_month and len(k) == length]
            if names:
                start = exp.Substring(this=name.copy(), start=number(1), length=number(length))
                known = exp.In(this=start, expressions=[text_(one) for one in names])
                month = month.when(known, text_(f"{number_of_month:02d}"))
    first, last = (
        exp.RegexpExtract(this=text.copy(), expression=text_(pattern), group=number(1))
        for pattern in ("^[^0-9]*([0-9]+)", "([0-9]+)[^0-9]*$")
    )
    year: exp.Expr = first if year_first(written) else last
    day: exp.Expr = last if year_first(written) else first
    if "%d" not in written:
        day = text_("01")
    if "%y" in written:
        recent = exp.LT(this=year.copy(), expression=text_("69"))
        century = exp.Case().when(recent, text_("20")).else_(text_("19"))
        year = exp.DPipe(this=exp.paren(century), expression=year)
    padded = exp.Right(this=exp.DPipe(this=text_("0"), expression=day), expression=number(2))
    iso: exp.Expr = year
    for part in (text_("-"), exp.paren(month), text_("-"), padded):
        iso = exp.DPipe(this=iso, expression=part)
    fits = exp.RegexpLike(this=text, expression=text_(named_pattern(written)))
    return exp.Case().when(fits, _iso_day(iso))


def _monday_of_iso_week(text: exp.Expr, written: str) -> exp.Expr:
    """Return the Monday of a week such as 2022-W01; week 1 has the fourth of January."""
    pattern = "^" + written.replace("%G", "[0-9]{4}").replace("%V", "[0-9]{1,2}") + "$"
    integer = exp.DataType.build("int")
    year = exp.TryCast(
        this=exp.Substring(this=text.copy(), start=number(1), length=number(4)),
        to=integer,
        requires_string=True,
    )
    digits = exp.RegexpReplace(
        this=exp.Substring(this=text.copy(), start=number(5), length=number(6)),
        expression=text_("[^0-9]"),
        replacement=text_(""),
        modifiers=text_("g"),
    )
    week = exp.TryCast(this=digits, to=integer.copy(), requires_string=True)
    fourth = exp.cast(exp.DPipe(this=exp.cast(year, "VARCHAR"), expression=text_("-01-04")), "DATE")
    since = exp.DateDiff(this=fourth.copy(), expression=date_(ANCHOR), unit=exp.var("DAY"))
    into = exp.Mod(this=since, expression=number(7))
    monday = exp.cast(exp.DateSub(this=fourth, expression=into, unit=exp.var("DAY")), "DATE")
    weeks = exp.Mul(
        this=exp.Paren(this=exp.Sub(this=week.copy(), expression=number(1))),
        expression=number(7),
    )
    day = exp.cast(exp.DateAdd(this=monday, expression=weeks, unit=exp.var("DAY")), "DATE")
    valid = exp.and_(
        exp.RegexpLike(this=text, expression=text_(pattern)),
        exp.Between(this=week, low=number(1), high=number(53)),
    )
    return exp.Case().when(valid, day)


def column(name: str) -> exp.Column:
    """Return a quoted column."""
    return exp.column(name, quoted=True)


def text_(value: str) -> exp.Literal:
    """Return a text as a literal."""
    return exp.Literal.string(value)


def number(value: int | str) -> exp.Expr:
    """Return a number as a literal."""
    return exp.Literal.number(value)


def date_(value: date) -> exp.Expr:
    """Return a date as a literal."""
    return exp.cast(text_(value.isoformat()), "DATE")
