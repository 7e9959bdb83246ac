"""Guess each column's role from its name and profile, with the reason for each guess.

The first rule that fits decides. docs/data.md lists the rules in order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from contract.numbers import NumberFormat
from job.sources.schema import Kind
from mmm.propose import vocabulary
from mmm.propose.vocabulary import split_words

_SAME_MEDIUM = {
    "fb": "facebook",
    "insta": "instagram",
    "ig": "instagram",
    "yt": "youtube",
    **dict.fromkeys(("television", "televisione", "televisao", "televisie"), "tv"),
    **dict.fromkeys(("fernsehen", "tele", "telewizja"), "tv"),
    "adwords": "google",
}
_MAX_LEVELS = 20
_MAX_CALENDAR = 53  # the weeks of a year
_SET = "set by an option or an answer"
_MIN_FLAGS = 5  # this many flags with the same first word are probably one factor
_DATES = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMP_TZ)


@dataclass(frozen=True, kw_only=True)
class ColumnProfile:
    """The profile of one column, from a sample of rows.

    Attributes:
        name: the column's name.
        kind: its type in the source.
        numeric: whether its values are numbers, or text with numbers.
        date_format: the format of its dates, if they are text.
        distinct: the number of distinct values.
        rows: the number of rows in the sample.
        lowest, highest: the range of numbers.
        is_row_number: whether the values only count the rows.
        constant_over_dates: whether the sum per date is always the same.
        numbers: how its text writes numbers; None if no format fits all of it.
        odd: the first value that is no number, with its row, if others are numbers.
        unclear: a number that two formats read differently, e.g. `1.234`.
        ambiguous: an example of a date whose day and month are ambiguous.
        swapped: two dates, if Excel seems to have swapped day and month in some of them.
        example: the first value, with its row.
    """

    name: str
    kind: Kind
    numeric: bool
    date_format: str | None
    distinct: int
    rows: int
    lowest: float | None = None
    highest: float | None = None
    is_row_number: bool = False
    constant_over_dates: bool = False
    numbers: NumberFormat | None = None
    odd: str | None = None
    unclear: str | None = None
    ambiguous: str | None = None
    swapped: str | None = None
    example: str | None = None

    @cached_property
    def words(self) -> list[str]:
        """Return the words of the name, in lower case."""
        return split_words(self.name)

    @cached_property
    def core(self) -> list[str]:
        """Return the words of the name without units and currencies."""
        return [word for word in self.words if word not in vocabulary.UNITS] or self.words

    @property
    def is_date(self) -> bool:
        """Return whether the column has dates."""
        return self.kind in _DATES or self.date_format is not None

    @property
    def is_flag(self) -> bool:
        """Return whether the column has only the values 0 and 1."""
        return self.numeric and self.distinct == 2 and (self.lowest, self.highest) == (0, 1)


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A column's role and the reason for it. The role is None if the column is not used."""

    column: str
    role: str | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class KnownColumns:
    """Columns whose role the user has set; the role `unused` leaves a column out."""

    date: str | None = None
    target: str | None = None
    spends: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)

    def role(self, column: str) -> str | None:
        """Return the role that the user has set for a column, if any."""
        if column in self.spends:
            return "spend"
        fixed = {self.date: "date", self.target: "target"}.get(column)
        return fixed or self.roles.get(column)


def guess_roles(
    profiles: Sequence[ColumnProfile], known: KnownColumns | None = None
) -> list[Guess]:
    """Guess the role of every column, with at most one date, one target and one country."""
    known = known or KnownColumns()
    taken: dict[str, Guess] = {}
    for column in profiles:
        role = known.role(column.name)
        if role:
            used = None if role == "unused" else role
            taken[column.name] = Guess(column=column.name, role=used, reason=_SET)
    for role in ("date", "country", "target"):
        if any(one.role == role for one in taken.values()):
            continue
        candidates = [c for c in profiles if c.name not in taken and _fits(role, c)]
        if candidates:
            best = min(candidates, key=lambda c: _rank(role, c))
            others = ", ".join(f"`{c.name}`" for c in candidates if c is not best)
            reason = _reason(role, best) + (f"; other candidates: {others}" if others else "")
            taken[best.name] = Guess(column=best.name, role=role, reason=reason)
    flags = Counter(column.words[0] for column in profiles if column.is_flag and column.words)
    guesses = [taken.get(column.name) or _single(column, flags) for column in profiles]
    guesses = _with_money_first(guesses, profiles)
    if any(one.role == "spend" for one in guesses):
        return guesses
    return _with_numbered_channels(guesses, profiles)


def target_candidates(profiles: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """Return the columns whose names suggest the target, the likeliest first."""
    fitting = [column for column in profiles if _fits("target", column)]
    return sorted(fitting, key=lambda column: _rank("target", column))


def _fits(role: str, column: ColumnProfile) -> bool:
    words = set(column.words)
    if role == "date":
        return column.is_date
    if role == "country":
        named = words & (vocabulary.COUNTRY | vocabulary.REGION)
        return not column.numeric and bool(named) and 0 < column.distinct < 300
    other = (
        vocabulary.COMPETITOR
        | vocabulary.SPEND
        | vocabulary.ORGANIC
        | vocabulary.RATES
        | vocabulary.MODEL_OUTPUT
    )
    kpi = words & set(vocabulary.TARGET) and not words & other
    return column.numeric and bool(kpi) and column.distinct > 2 and not column.is_row_number


def _rank(role: str, column: ColumnProfile) -> tuple[int, int]:
    words = column.words
    if role == "date":
        return (0 if set(words) & vocabulary.DATE else 1, len(words))
    if role == "country":
        return (0 if set(words) & vocabulary.COUNTRY else 1, len(words))
    return (
        min(vocabulary.TARGET.index(word) for word in words if word in vocabulary.TARGET),
        len(words),
    )


def _reason(role: str, column: ColumnProfile) -> str:
    if role == "date":
        return f"has dates ({column.date_format or column.kind.value})"
    return f"its name suggests the {role}"


def _single(column: ColumnProfile, flags: Counter[str]) -> Guess:
    role, reason = _left_out(column, flags) or _numbers(column)
    if column.odd and column.numeric:
        reason += f"; CHECK: {column.odd} is not a number"
    if column.unclear:
        reason += f"; CHECK: is `{column.unclear}` a decimal number or thousands?"
    return Guess(column=column.name, role=role, reason=reason)


def _left_out(column: ColumnProfile, flags: Counter[str]) -> tuple[str | None, str] | None:
    """Return the verdict on an unusable or text column; None if a rule for numbers decides."""
    words = set(column.words)
    if column.distinct < 2:
        question = "CHECK: " if words & vocabulary.SPEND else ""
        return None, question + ("is empty" if not column.distinct else "has only one value")
    if column.swapped:
        return None, (
            f"Excel swapped day and month in some dates ({column.swapped}): it read dates up to "
            "the 12th with the month first. Export them again as YYYY-MM-DD"
        )
    if column.ambiguous:
        return None, f"`{column.ambiguous}` could be day/month or month/day"
    if column.is_date:
        return None, "is another date"
    if words and words <= vocabulary.CALENDAR:
        if column.distinct > _MAX_CALENDAR:
            return None, f"no date format reads it{_example(column)}"
        return None, "is part of the date"
    if not column.numeric:
        if why := _not_numbers(column):
            return None, why
        if column.distinct <= _MAX_LEVELS:
            return "factor", f"is text with {column.distinct} levels"
        text = f"is text with {column.distinct} values{_example(column)}"
        return None, f"{text}; a factor has at most {_MAX_LEVELS}"
    counts = column.is_row_number and not words & (vocabulary.SPEND | vocabulary.EXPOSURE)
    if not words or counts or column.words[0] in vocabulary.ROW_NUMBER:
        return None, "is a row number"
    if column.is_flag and flags[column.words[0]] >= _MIN_FLAGS:
        many = flags[column.words[0]]
        return None, f"is one of {many} flags `{column.words[0]}…`; combine them into one factor"
    if words & vocabulary.CALENDAR and column.distinct <= _MAX_CALENDAR:
        return None, "is part of the date"
    if words & vocabulary.MODEL_OUTPUT:
        return None, f"`{_word(column, vocabulary.MODEL_OUTPUT)}` suggests a model's output"
    if column.constant_over_dates:
        return None, "is the same on every date"
    return None


def _example(column: ColumnProfile) -> str:
    return f", e.g. {column.example}" if column.example else ""


def _not_numbers(column: ColumnProfile) -> str | None:
    """Return why a text column is a question, if its name suggests numbers."""
    ends = {word for word in (column.core[0], column.core[-1]) if len(word) > 1}
    figures = vocabulary.SPEND | vocabulary.EXPOSURE | set(vocabulary.TARGET)
    if not ends & (figures if column.odd else vocabulary.SPEND):
        return None
    odd = f"{column.odd} is not a number"
    if not column.odd:
        odd = f"none of its values is a number{_example(column)}"
    return f"CHECK: its name suggests numbers, but {odd}"


def _numbers(column: ColumnProfile) -> tuple[str | None, str]:
    """Return (role, reason) for a numeric column."""
    words = set(column.words)
    core = column.core
    edges = {core[0], core[-1]}
    if words & vocabulary.COMPETITOR:
        return "context", "its name refers to a competitor"
    measured = words & (vocabulary.SPEND | vocabulary.EXPOSURE | set(vocabulary.TARGET))
    is_of_media = measured or words & (vocabulary.MEDIA | vocabulary.MEDIA_RATES)
    if words & vocabulary.RATES and (is_of_media or len(words) == 1):
        return None, f"`{_word(column, vocabulary.RATES)}` suggests a ratio of other columns"
    if edges & vocabulary.SPEND and len(core) > 1:
        if words <= vocabulary.SPEND | vocabulary.UNITS | vocabulary.TOTAL:
            return None, "is the sum of the channels"
        return "spend", f"its name starts or ends with `{_word(column, vocabulary.SPEND)}`"
    if edges & vocabulary.EXPOSURE and len(core) > 1:
        if words <= vocabulary.EXPOSURE | vocabulary.UNITS | vocabulary.TOTAL:
            return None, "is the sum of the channels"
        return "exposure", f"its name starts or ends with `{_word(column, vocabulary.EXPOSURE)}`"
    if words & vocabulary.ORGANIC:
        return "organic", f"its name has `{_word(column, vocabulary.ORGANIC)}`"
    if words & set(vocabulary.TARGET) or re.fullmatch(r"y_?\d+", column.name.lower()):
        return None, "is another candidate for the target; as a driver it would explain all of it"
    if words & vocabulary.FACTOR and column.distinct <= _MAX_LEVELS:
        return "factor", f"its name has `{_word(column, vocabulary.FACTOR)}`"
    if words & vocabulary.REACTIONS and words & vocabulary.MEDIA:
        return None, f"CHECK: `{_word(column, vocabulary.REACTIONS)}` counts reactions, no spend"
    influences = vocabulary.CONTEXT | (vocabulary.FACTOR - {"campaign", "is"})
    known = words & influences
    if known and words & vocabulary.MEDIA:
        word, medium = _word(column, influences), _word(column, vocabulary.MEDIA)
        return "context", f"CHECK: its name has `{word}` and the medium `{medium}`; is it a medium?"
    if known:
        return "context", f"its name has `{_word(column, influences)}`"
    if words & vocabulary.MEDIA and (column.lowest or 0) >= 0:
        if column.highest is not None and column.highest <= 1:
            return None, "CHECK: all its values are between 0 and 1, so it is no spend"
        return "spend", f"its name has the medium `{_word(column, vocabulary.MEDIA)}`"
    if column.is_flag:
        return "context", "is a number with the values 0 and 1, and no other rule fits"
    if (column.lowest or 0) < 0:
        return "context", "is a number with negative values, and no other rule fits"
    if words & vocabulary.ADVERTISING:
        word = _word(column, vocabulary.ADVERTISING)
        return "context", f"CHECK: its name has `{word}`; is it a medium?"
    return "context", "CHECK: the rules know no word of its name; is it a medium?"


def _with_money_first(guesses: list[Guess], profiles: Sequence[ColumnProfile]) -> list[Guess]:
    """Leave out figures that only name a medium which has a spend of its own.

    Where no column is named as money, names of media alone are spends.
    """
    core = {column.name: column for column in profiles}
    media = {
        word
        for one in guesses
        if one.role == "spend" and set(core[one.column].words) & vocabulary.SPEND
        for word in set(core[one.column].words) & vocabulary.MEDIA
    }
    stems = {
        frozenset(core[one.column].core) - vocabulary.SPEND
        for one in guesses
        if one.role == "spend"
    } - {frozenset()}
    found = []
    for one in _without_plans(guesses, core):
        column = core[one.column]
        words = set(column.words)
        rates = words & (vocabulary.RATES | vocabulary.REACTIONS)
        if one.role == "context" and rates and frozenset(column.core) - rates in stems:
            reason = f"CHECK: `{sorted(rates)[0]}` suggests a rate or count of a paid channel"
            found.append(Guess(column=one.column, role=None, reason=reason))
            continue
        named = one.role == "spend" and not words & vocabulary.SPEND
        if named and words & media and one.reason != _SET:
            reason = "CHECK: is it a spend? Its medium has a spend of its own; --spend sets it"
            found.append(Guess(column=one.column, role=None, reason=reason))
        else:
            found.append(one)
    return found


def _without_plans(guesses: list[Guess], columns: Mapping[str, ColumnProfile]) -> list[Guess]:
    """Keep one of several spends with the same other words, e.g. of `tv_spend` and `tv_budget`."""
    same: dict[frozenset[str], list[Guess]] = {}
    for one in guesses:
        if one.role == "spend" and one.reason != _SET:
            stem = frozenset(columns[one.column].core) - vocabulary.SPEND
            same.setdefault(stem, []).append(one)
    dropped = {}
    for several in same.values():
        is_plan = [bool(set(columns[g.column].words) & vocabulary.PLAN) for g in several]
        kept = several[is_plan.index(False) if False in is_plan else 0]
        for other in several:
            if other != kept:
                reason = f"CHECK: `{kept.column}` is a spend of the same channel; use only one"
                dropped[other.column] = Guess(column=other.column, role=None, reason=reason)
    return [dropped.get(one.column, one) for one in guesses]


def _with_numbered_channels(guesses: list[Guess], profiles: Sequence[ColumnProfile]) -> list[Guess]:
    """Treat `x1`, `x2`, … (names in examples of other tools) as spend if no column is a spend."""
    by_name = {column.name: column for column in profiles}
    reason = "CHECK: only the number in its name suggests a channel"
    return [
        Guess(column=one.column, role="spend", reason=reason)
        if one.role == "context"
        and re.fullmatch(r"(x|channel|media)_?\d+", one.column.lower())
        and (by_name[one.column].lowest or 0) >= 0
        else one
        for one in guesses
    ]


def _word(column: ColumnProfile, words: frozenset[str]) -> str:
    """Return the last word of the column's name that is in `words`."""
    return next(word for word in reversed(column.words) if word in words)


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A channel: a spend, its exposure, and other exposures with the same name.

    It `is_guess` if the names of the spend and the exposure share only some of their words.
    """

    name: str
    spend: str
    exposure: str | None
    others: tuple[str, ...] = ()
    is_guess: bool = False


def pair_channels(
    guesses: Sequence[Guess], profiles: Sequence[ColumnProfile]
) -> tuple[list[Channel], list[str]]:
    """Return the channels, and the exposures that belong to no channel.

    A spend and an exposure belong together if their names have the same other words, or if all
    other words of one are in the other and no second spend has them. If several exposures fit, the
    first column is used.
    """
    core = {column.name: column.core for column in profiles}

    def stem(name: str) -> tuple[str, ...]:
        known = vocabulary.SPEND | vocabulary.EXPOSURE
        kept = [word for word in core[name] if word not in known]
        plain = [_SAME_MEDIUM.get(word, word) for word in kept if word not in vocabulary.FILLER]
        return tuple(plain or kept or core[name])

    def key(name: str) -> tuple[str, ...]:
        return tuple(sorted(stem(name)))

    exposures: dict[tuple[str, ...], list[str]] = {}
    for one in guesses:
        if one.role == "exposure":
            exposures.setdefault(key(one.column), []).append(one.column)
    channels: list[Channel] = []
    for one in guesses:
        if one.role != "spend":
            continue
        matches = exposures.pop(key(one.column), [])
        channels.append(
            Channel(
                name=_channel_name(stem(one.column), {channel.name for channel in channels}),
                spend=one.column,
                exposure=matches[0] if matches else None,
                others=tuple(matches[1:]),
            )
        )
    channels = [_with_similar(one, channels, exposures, key) for one in channels]
    return channels, [name for names in exposures.values() for name in names]


def _with_similar(
    channel: Channel,
    channels: Sequence[Channel],
    exposures: dict[tuple[str, ...], list[str]],
    key: Callable[[str], tuple[str, ...]],
) -> Channel:
    """Give a channel the exposures with some of its words, and take them from `exposures`."""
    if channel.exposure is not None:
        return channel

    def similar(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
        return set(one) <= set(other) or set(other) <= set(one)

    fitting = [
        words
        for words in exposures
        if not set(words) & vocabulary.ORGANIC
        and [one for one in channels if similar(key(one.spend), words)] == [channel]
    ]
    if len(fitting) != 1:
        return channel
    first, *others = exposures.pop(fitting[0])
    return replace(channel, exposure=first, others=tuple(others), is_guess=True)


def _channel_name(stem: tuple[str, ...], taken: set[str]) -> str:
    name = re.sub(r"^[^a-z]+", "", "_".join(stem))[:50] or f"channel_{len(taken) + 1}"
    return f"{name}_{len(taken) + 1}" if name in taken else name
