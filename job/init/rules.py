"""What a column probably is, from its name and a few figures. Every rule says why.

Names are split into words at `_`, blanks, points and changes of case; words of English, German,
French, Spanish and Italian are known. The first rule that fits decides, in the order of `ROLES`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from job.sources.schema import Kind


def _ordered(text: str) -> list[str]:
    return text.split()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SPEND = _words(
    "cost costs spend spends spending spent s budget investment invest inv kosten ausgaben "
    "depense depenses cout couts gasto gastos coste costo inversion spesa spese costi"
)
EXPOSURE = _words(
    "impressions impression impr imps i clicks click klicks clics clic clicchi c grp grps trp trps "
    "views view vues reach p impresiones impressioni visualizzazioni sends"
)
TARGET = _ordered(
    "revenue sales umsatz ventas ventes vendite ca turnover income gmv bookings orders conversions "
    "conversion installs signups leads bestellungen commandes pedidos ordini kpi y"
)
CONVERSION = _words(
    "orders conversions conversion installs signups leads bestellungen commandes pedidos ordini"
)
ORGANIC = _words(
    "organic newsletter newsletters email emails mail mails mailing push seo crm followers posts "
    "organico organique organisch"
)
NOT_OURS = _words("competitor competitors competition konkurrenz wettbewerb concurrent")
FACTOR = _words(
    "event events promo promotion promotions holiday holidays feiertag campaign aktion flag is "
    "lockdown season"
)
MEDIA = _words(
    "tv television radio newspaper newspapers print ooh outdoor search sem sea ppc google adwords "
    "bing facebook fb meta instagram insta tiktok snapchat pinterest youtube yt twitter linkedin "
    "social display banner video affiliate affiliates cinema podcast direct mail dm influencer "
    "programmatic"
)
COUNTRY = _words("country countrycode market markt land pays pais paese geo locale")
DATE = _words("date day week month ds datum fecha data jour semaine woche wk time")
ROLES = ("date", "country", "target", "spend", "exposure", "organic", "factor", "context")
_MAX_LEVELS = 20


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Figures of one column, from a sample of rows."""

    name: str
    kind: Kind
    numeric: bool
    date_format: str | None
    distinct: int
    rows: int
    lowest: float | None = None

    @property
    def words(self) -> list[str]:
        """The name's words in lower case."""
        spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", self.name)
        return [word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word]


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A column's role and the rule that says so; role None: left out."""

    column: str
    role: str | None
    why: str


def guess(seen: Sequence[Seen]) -> list[Guess]:
    """The role of every column; one date, one target and at most one country among them."""
    taken: dict[str, Guess] = {}
    for role in ("date", "country", "target"):
        candidates = [c for c in seen if c.name not in taken and _fits(role, c)]
        if candidates:
            best = min(candidates, key=lambda c: _rank(role, c))
            others = ", ".join(c.name for c in candidates if c is not best)
            why = _why(role, best) + (f"; other candidates: {others}" if others else "")
            taken[best.name] = Guess(column=best.name, role=role, why=why)
    return [taken.get(column.name) or _single(column) for column in seen]


def _fits(role: str, column: Seen) -> bool:
    words = set(column.words)
    if role == "date":
        dated = column.kind in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMP_TZ)
        return dated or column.date_format is not None
    if role == "country":
        return not column.numeric and bool(words & COUNTRY) and column.distinct < 300
    return (
        column.numeric
        and bool(words & set(TARGET))
        and not words & (NOT_OURS | SPEND | ORGANIC)
        and column.distinct > 2
    )


def _rank(role: str, column: Seen) -> tuple[int, int]:
    words = column.words
    if role == "date":
        return (0 if set(words) & DATE else 1, len(words))
    if role == "country":
        return (len(words), 0)
    return (min(TARGET.index(word) for word in words if word in TARGET), len(words))


def _why(role: str, column: Seen) -> str:
    if role == "date":
        return f"holds dates ({column.date_format or column.kind.value})"
    return f"its name says {role}"


def _single(column: Seen) -> Guess:
    words = set(column.words)
    edges = {column.words[0], column.words[-1]} if column.words else set()

    def made(role: str | None, why: str) -> Guess:
        return Guess(column=column.name, role=role, why=why)

    if column.distinct < 2:
        return made(None, "has one value only")
    if column.date_format or column.kind in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMP_TZ):
        return made(None, "is another date")
    if not column.numeric:
        if column.distinct <= _MAX_LEVELS:
            return made("factor", f"text with {column.distinct} levels")
        return made(None, f"text with {column.distinct} values")
    if words & NOT_OURS:
        return made("context", "its name says that it is a competitor's")
    if column.words[0] in ("unnamed", "index", "id", "rownames", "x") or not words:
        return made(None, "its name says that it numbers the rows")
    if edges & SPEND and len(words) > 1:
        return made("spend", f"ends or begins with `{_named(column, SPEND)}`")
    if edges & EXPOSURE and len(words) > 1:
        return made("exposure", f"ends or begins with `{_named(column, EXPOSURE)}`")
    if words & ORGANIC:
        return made("organic", f"its name has `{_named(column, ORGANIC)}`")
    if words & FACTOR and column.distinct <= _MAX_LEVELS:
        return made("factor", f"its name has `{_named(column, FACTOR)}`")
    if words & MEDIA and (column.lowest or 0) >= 0:
        return made("spend", f"its name has the medium `{_named(column, MEDIA)}`")
    if words & DATE and column.distinct <= 53:
        return made(None, "is a part of the date")
    return made("context", "a number that no other rule knows")


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

    Impressions are preferred to clicks only by the order of columns: the first exposure of a
    stem is taken, the others are named.
    """
    words = {column.name: column.words for column in seen}

    def stem(name: str) -> tuple[str, ...]:
        kept = [word for word in words[name] if word not in SPEND | EXPOSURE]
        return tuple(kept or words[name])

    exposures: dict[tuple[str, ...], list[str]] = {}
    for one in guesses:
        if one.role == "exposure":
            exposures.setdefault(stem(one.column), []).append(one.column)
    pairs: list[Pair] = []
    for one in guesses:
        if one.role != "spend":
            continue
        found = exposures.pop(stem(one.column), [])
        name = re.sub(r"^[^a-z]+", "", "_".join(stem(one.column))) or f"channel_{len(pairs) + 1}"
        if name in {pair.name for pair in pairs}:
            name = f"{name}_{len(pairs) + 1}"
        pairs.append(
            Pair(
                name=name,
                spend=one.column,
                exposure=found[0] if found else None,
                others=tuple(found[1:]),
            )
        )
    return pairs, [name for names in exposures.values() for name in names]
