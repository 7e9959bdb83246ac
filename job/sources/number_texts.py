"""Find the way in which a column of text writes its numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from contract.numbers import BLANKS, NumberFormat

_MISSING = frozenset(
    "#n/a n/a #na na nan null none nil #null! #div/0! #value! #ref! #name? #num! - \u2013 \u2014 "
    "-- . ? x missing n.a. n.d. nd k.a. b.d. s.o. n.v. tbd tba unknown".split()
)
_MONEY = (
    "US\\$|A\\$|C\\$|R\\$|kr\\.?|zł|Kč|Ft|lei|EUR|USD|GBP|CHF|PLN|SEK|NOK|DKK|CZK|BRL|JPY|CAD|AUD|"
    "euros?|[€$£¥₹₽₺₴₩]|%"
)
_SYMBOL = re.compile(rf"^[-+(\s]*({_MONEY})|({_MONEY})[\s)]*$", re.IGNORECASE)
_BODY = re.compile(rf"[-+]?\s*[0-9][0-9.,'\u2019{BLANKS}]*([eE][-+]?[0-9]+)?")
# (decimal, thousands) in order of preference
_SEPARATORS = (
    *((".", None), (",", None), (".", ","), (",", ".")),
    *((".", " "), (",", " "), (".", "'"), (",", "'")),
)
_GROUPS_ONLY = re.compile(r"[1-9][0-9]{0,2}([.,][0-9]{3})+")
_MIN_GROUPS = 12  # so many numbers with exactly three digits after the point are hardly decimals


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a column of text writes its numbers.

    Attributes:
        format: the one format that fits all texts; None if none fits.
        share: the share of texts that look like numbers.
        odd: the position of the first text that is not a number in the best format.
        ambiguous: a text that two formats read differently, e.g. `1.234`.
    """

    format: NumberFormat | None
    share: float
    odd: int | None = None
    ambiguous: str | None = None


def find_reading(texts: Sequence[str]) -> Reading:
    """Find the format of numbers that fits all texts."""
    stripped = [text.strip(f" {BLANKS}") for text in texts]
    missing = sorted({text for text in stripped if text.lower() in _MISSING})
    given = [(i, text) for i, text in enumerate(stripped) if text.lower() not in _MISSING]
    symbols = sorted(
        {
            next(group for group in found.groups() if group)
            for _, text in given
            if (found := _SYMBOL.search(text))
        },
        key=lambda symbol: (-len(symbol), symbol),
    )
    parentheses = any(text.startswith("(") or text.endswith(")") for _, text in given)
    bodies = [(i, _body(text, symbols)) for i, text in given]
    like = [(i, body) for i, body in bodies if _BODY.fullmatch(body)]
    if not like:
        return Reading(format=None, share=0.0, odd=given[0][0] if given else None)
    share = len(like) / max(len(given), 1)
    best: tuple[int, NumberFormat] | None = None
    fitting: list[NumberFormat] = []
    for decimal, thousands in _SEPARATORS:
        one = NumberFormat.model_validate(
            {
                "decimal": decimal,
                "thousands": thousands,
                "symbols": symbols,
                "missing": missing,
                "parentheses": parentheses,
            }
        )
        number = sum(one.read(text) is not None for _, text in given)
        if number == len(given):
            fitting.append(one)
        if best is None or number > best[0]:
            best = number, one
    money = {symbol.lower() for symbol in symbols} - {"%"}
    mixed_percent = "%" in symbols and any("%" not in t and _nonzero(t) for _, t in given)
    if not fitting or len(money) > 1 or mixed_percent:
        odd = _odd(given, best[1] if best else NumberFormat())
        if odd is None and given:
            odd = next((i for i, t in given if "%" not in t), given[0][0])
        return Reading(format=None, share=share, odd=odd)
    return _settled(fitting, [body for _, body in like], share)


def _settled(fitting: list[NumberFormat], bodies: list[str], share: float) -> Reading:
    """Choose among formats that all fit; two different readings of a text are ambiguous."""
    plain = fitting[0]
    grouped = [body for body in bodies if re.search("[.,]", body)]
    all_groups = bool(grouped) and all(_GROUPS_ONLY.fullmatch(b.lstrip("+-")) for b in grouped)
    others = [one for one in fitting[1:] if one.thousands in (".", ",")]
    if all_groups and plain.thousands is None and others:
        if plain.decimal == ",":  # 2,025 is a group of thousands where no other decimals occur
            if len(grouped) >= _MIN_GROUPS:
                return Reading(format=others[0], share=share)
            return Reading(format=None, share=share, ambiguous=grouped[0])
        if len(grouped) >= _MIN_GROUPS:
            return Reading(format=plain, share=share, ambiguous=grouped[0])
    return Reading(format=plain, share=share)


def _body(text: str, symbols: Sequence[str]) -> str:
    for symbol in symbols:
        text = text.replace(symbol, "")
    return text.strip(f" {BLANKS}()")


def _nonzero(text: str) -> bool:
    return bool(re.search("[1-9]", text))


def _odd(given: Sequence[tuple[int, str]], best: NumberFormat) -> int | None:
    return next((i for i, text in given if best.read(text) is None), None)


def number_remedy(texts: Sequence[str], *, others: bool = False) -> str:
    """Return what to do about texts that are not read as numbers, e.g. a format to set.

    Args:
        texts: Texts that are not read.
        others: Whether other texts of the column are read, which a new format may not read.
    """
    present = [text for text in texts if text]
    reading = find_reading(present)
    if present and all(text.lower() in _MISSING for text in present):
        listed = json.dumps(sorted(set(present)), ensure_ascii=False)
        return (
            f"set `numbers.missing: {listed}` if this means that there is no value, or "
            f"`numbers.zero: {listed}` if it means zero"
        )
    if reading.format is not None and reading.format != NumberFormat():
        setting = f"set `numbers: {flow(reading.format)}`"
        if others and "," in (reading.format.decimal, reading.format.thousands):
            return f"{setting} if all its values are written so, or else write these as 1234.56"
        return setting
    return "write numbers as 1234.56, or say with `numbers` how they are written"


def flow(numbers: NumberFormat) -> str:
    """Return the fields of a format that differ from the default, as YAML on one line."""
    values = numbers.model_dump(exclude_defaults=True, exclude={"columns"})
    return (
        "{"
        + ", ".join(f"{k}: {json.dumps(v, ensure_ascii=False)}" for k, v in values.items())
        + "}"
    )
