"""What a column probably is, from its name and a few figures. Every rule says why.

The first rule that fits decides, in the order that is written here; docs/data.md lists them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from job.sources.schema import Kind
from mmm.propose import words as known
from mmm.propose.words import split

_MAX_LEVELS = 20
_FLAGS = 5  # columns of 0 and 1 with the same first word that are one factor
_DATES = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMP_TZ)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Figures of one column, from a sample of rows.

    `numbers_rows` says that values only count the rows; `same_daily` that they do not depend on the
    date; `decimal_comma` gives a text such as `1.234,56`.
    """

    name: str
    kind: Kind
    numeric: bool
    date_format: str | None
    distinct: int
    rows: int
    lowest: float | None = None
    highest: float | None = None
    numbers_rows: bool = False
    same_daily: bool = False
    decimal_comma: str | None = None
    ambiguous: str | None = None

    @cached_property
    def words(self) -> list[str]:
        """The name's words in lower case."""
        return split(self.name)

    @cached_property
    def core(self) -> list[str]:
        """The words without units and currencies."""
        return [word for word in self.words if word not in known.UNITS] or self.words

    @property
    def is_date(self) -> bool:
        """Whether it holds dates."""
        return self.kind in _DATES or self.date_format is not None

    @property
    def is_flag(self) -> bool:
        """Whether it holds 0 and 1 only."""
        return self.numeric and self.distinct == 2 and (self.lowest, self.highest) == (0, 1)


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A column's role and the rule that says so; role None: left out."""

    column: str
    role: str | None
    why: str


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a person has said: columns that need no guess."""

    date: str | None = None
    target: str | None = None
    spends: tuple[str, ...] = ()

    def role(self, column: str) -> str | None:
        """The role of a column that was named."""
        if column in self.spends:
            return "spend"
        return {self.date: "date", self.target: "target"}.get(column)


def guess(seen: Sequence[Seen], given: Given | None = None) -> list[Guess]:
    """The role of every column; one date, one target and at most one country among them."""
    given = given or Given()
    taken: dict[str, Guess] = {}
    for column in seen:
        role = given.role(column.name)
        if role:
            taken[column.name] = Guess(column=column.name, role=role, why="as you said")
    for role in ("date", "country", "target"):
        if any(one.role == role for one in taken.values()):
            continue
        candidates = [c for c in seen if c.name not in taken and _fits(role, c)]
        if candidates:
            best = min(candidates, key=lambda c: _rank(role, c))
            others = ", ".join(f"`{c.name}`" for c in candidates if c is not best)
            why = _why(role, best) + (f"; other candidates: {others}" if others else "")
            taken[best.name] = Guess(column=best.name, role=role, why=why)
    flags = Counter(column.words[0] for column in seen if column.is_flag and column.words)
    guesses = [taken.get(column.name) or _single(column, flags) for column in seen]
    return guesses if any(one.role == "spend" for one in guesses) else _by_number(guesses, seen)


def _fits(role: str, column: Seen) -> bool:
    words = set(column.words)
    if role == "date":
        return column.is_date
    if role == "country":
        named = words & (known.COUNTRY | known.REGION)
        return not column.numeric and bool(named) and 0 < column.distinct < 300
    other = known.OTHERS | known.SPEND | known.ORGANIC | known.RATES | known.MODELLED
    kpi = words & set(known.TARGET) and not words & other
    return column.numeric and bool(kpi) and column.distinct > 2 and not column.numbers_rows


def _rank(role: str, column: Seen) -> tuple[int, int]:
    words = column.words
    if role == "date":
        return (0 if set(words) & known.DATE else 1, len(words))
    if role == "country":
        return (0 if set(words) & known.COUNTRY else 1, len(words))
    return (min(known.TARGET.index(word) for word in words if word in known.TARGET), len(words))


def _why(role: str, column: Seen) -> str:
    if role == "date":
        return f"holds dates ({column.date_format or column.kind.value})"
    return f"its name says {role}"


def _single(column: Seen, flags: Counter[str]) -> Guess:
    role, why = _left_out(column, flags) or _numbers(column)
    return Guess(column=column.name, role=role, why=why)


def _left_out(column: Seen, flags: Counter[str]) -> tuple[str | None, str] | None:
    """Columns that no model takes as they are."""
    words = set(column.words)
    if column.distinct < 2:
        return None, "is empty" if not column.distinct else "has one value only"
    if column.ambiguous:
        return None, f"`{column.ambiguous}` could be day/month or month/day"
    if column.is_date:
        return None, "is another date"
    if column.decimal_comma:
        return None, f"its numbers are written as `{column.decimal_comma}`; write them 1234.56"
    if words and words <= known.CALENDAR:
        return None, "is a part of the date"
    if not column.numeric:
        if column.distinct <= _MAX_LEVELS:
            return "factor", f"text with {column.distinct} levels"
        return None, f"text with {column.distinct} values"
    counts = column.numbers_rows and not words & (known.SPEND | known.EXPOSURE)
    if not words or counts or column.words[0] in known.ROWS:
        return None, "it numbers the rows"
    if column.is_flag and flags[column.words[0]] >= _FLAGS:
        many = flags[column.words[0]]
        return None, f"one of {many} flags `{column.words[0]}…`; join them to one factor of texts"
    if words & known.CALENDAR and column.distinct <= 53:
        return None, "is a part of the date"
    if words & known.MODELLED:
        return None, f"`{_named(column, known.MODELLED)}` says that a model made it"
    if column.same_daily:
        return None, "is the same on every date"
    return None


def _numbers(column: Seen) -> tuple[str | None, str]:
    """Roles of numbers."""
    words = set(column.words)
    core = column.core
    edges = {core[0], core[-1]}
    if words & known.OTHERS:
        return "context", "its name says that it is a competitor's"
    measured = words & (known.SPEND | known.EXPOSURE | set(known.TARGET))
    if words & known.RATES and (measured or len(words) == 1):
        return None, f"`{_named(column, known.RATES)}` says that it is a rate of others"
    if edges & known.SPEND and len(core) > 1:
        if words <= known.SPEND | known.UNITS | known.TOTAL:
            return None, "is the sum of the channels"
        return "spend", f"begins or ends with `{_named(column, known.SPEND)}`"
    if edges & known.EXPOSURE and len(core) > 1:
        if words <= known.EXPOSURE | known.UNITS | known.TOTAL:
            return None, "is the sum of the channels"
        return "exposure", f"begins or ends with `{_named(column, known.EXPOSURE)}`"
    if words & known.ORGANIC:
        return "organic", f"its name has `{_named(column, known.ORGANIC)}`"
    if words & set(known.TARGET) or re.fullmatch(r"y_?\d+", column.name.lower()):
        return None, "another candidate for the target; as a driver it would explain it by itself"
    if words & known.FACTOR and column.distinct <= _MAX_LEVELS:
        return "factor", f"its name has `{_named(column, known.FACTOR)}`"
    if words & known.MEDIA and (column.lowest or 0) >= 0:
        return "spend", f"its name has the medium `{_named(column, known.MEDIA)}`"
    return "context", "a number that no other rule knows"


def _by_number(guesses: list[Guess], seen: Sequence[Seen]) -> list[Guess]:
    """`x1`, `x2`, … where nothing is named like a channel: so other tools write examples."""
    kinds = {column.name: column for column in seen}
    return [
        Guess(column=one.column, role="spend", why="CHECK: nothing but a number says what it is")
        if one.role == "context"
        and re.fullmatch(r"(x|channel|media)_?\d+", one.column.lower())
        and (kinds[one.column].lowest or 0) >= 0
        else one
        for one in guesses
    ]


def _named(column: Seen, words: frozenset[str]) -> str:
    return next(word for word in reversed(column.words) if word in words)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A channel: a spend and the exposure of the same name."""

    name: str
    spend: str
    exposure: str | None
    others: tuple[str, ...] = ()


def pair(guesses: Sequence[Guess], seen: Sequence[Seen]) -> tuple[list[Pair], list[str]]:
    """Channels, and exposures that belong to none.

    The first exposure of a stem is taken, in the order of columns; the others are named.
    """
    core = {column.name: column.core for column in seen}

    def stem(name: str) -> tuple[str, ...]:
        kept = [w for w in core[name] if w not in known.SPEND | known.EXPOSURE]
        return tuple(kept or core[name])

    exposures: dict[tuple[str, ...], list[str]] = {}
    for one in guesses:
        if one.role == "exposure":
            exposures.setdefault(stem(one.column), []).append(one.column)
    pairs: list[Pair] = []
    for one in guesses:
        if one.role != "spend":
            continue
        found = exposures.pop(stem(one.column), [])
        pairs.append(
            Pair(
                name=_channel_name(stem(one.column), {pair.name for pair in pairs}),
                spend=one.column,
                exposure=found[0] if found else None,
                others=tuple(found[1:]),
            )
        )
    return pairs, [name for names in exposures.values() for name in names]


def _channel_name(stem: tuple[str, ...], taken: set[str]) -> str:
    name = re.sub(r"^[^a-z]+", "", "_".join(stem))[:50] or f"channel_{len(taken) + 1}"
    return f"{name}_{len(taken) + 1}" if name in taken else name
