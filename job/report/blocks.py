"""What a section of the report is made of; the template knows these and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd
from markupsafe import Markup

Format = Literal["text", "money", "ratio", "percent", "number", "seconds"]


@dataclass(frozen=True)
class Cell:
    """One cell, already in words."""

    text: str
    number: bool = False


@dataclass(frozen=True)
class Table:
    """A table; `rows` are as long as `head`. Without a head the first cells name their rows."""

    head: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    kind: str = "table"


@dataclass(frozen=True)
class Figure:
    """A chart, what it says, and its numbers for those who do not see it."""

    svg: Markup
    caption: str
    table: Table | None = None
    kind: str = "figure"


@dataclass(frozen=True)
class Note:
    """A sentence. `style` is `note`, `missing` (something the run did not make) or `warning`."""

    text: str
    style: Literal["note", "missing", "warning"] = "note"
    kind: str = "note"


@dataclass(frozen=True)
class Source:
    """Text that is shown as it is, folded away."""

    title: str
    text: str
    kind: str = "source"


@dataclass(frozen=True)
class Folded:
    """A table that is folded away."""

    title: str
    table: Table
    kind: str = "folded"


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    text: str
    kind: str = "heading"


Block = Table | Figure | Note | Source | Folded | Heading


@dataclass(frozen=True)
class Section:
    """One section of the page."""

    id: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)


def in_words(value: Any, form: Format = "text") -> str:
    """Format a value for people; a missing one is n/a."""
    if value is None or (not isinstance(value, (list, dict)) and pd.isna(value)):
        return "n/a"
    match form:
        case "money":
            return f"{_plus_zero(value, 0):,.0f}"
        case "ratio":
            return f"{_plus_zero(value, 2):,.2f}"
        case "percent":
            return f"{_plus_zero(value, 3):.1%}"
        case "number":
            return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
        case "seconds":
            return f"{value:,.1f} s"
        case "text":
            return str(value)


def _plus_zero(value: float, decimals: int) -> float:
    """Round so that a tiny negative number is no `-0.0`."""
    return round(value, decimals) + 0.0


def table(frame: pd.DataFrame, columns: Mapping[Any, tuple[str, Format]]) -> Table:
    """Make a table of some columns of a frame.

    Args:
        frame: the rows.
        columns: per column of the frame, its heading and format, in order.
    """
    forms = list(columns.values())
    rows = [
        [Cell(in_words(v, form), form != "text") for v, (_, form) in zip(row, forms, strict=True)]
        for row in frame[list(columns)].astype(object).itertuples(index=False, name=None)
    ]
    return Table([Cell(title, form != "text") for title, form in forms], rows)


def pairs(rows: Mapping[str, str]) -> Table:
    """Make a table of names and values."""
    return Table((), [[Cell(name), Cell(value)] for name, value in rows.items()])
