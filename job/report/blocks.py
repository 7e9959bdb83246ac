"""The parts of a section: tables, figures and notes. The template renders only these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd
from markupsafe import Markup

from contract.amounts import digits
from job.report.units import percent

Format = Literal["text", "span", "money", "ratio", "percent", "number", "seconds"]


@dataclass(frozen=True)
class Cell:
    """One table cell, formatted as text."""

    text: str
    number: bool = False

    @property
    def is_long(self) -> bool:
        """Return whether the text is a sentence, which needs a wide column on a phone."""
        return len(self.text) > 40


@dataclass(frozen=True)
class Table:
    """A table. Rows are as long as `head`; without a head, a row's first cell is its heading."""

    head: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    kind: str = "table"


@dataclass(frozen=True)
class Figure:
    """A chart, what it says, how to read it, and its numbers as a table.

    `says` is one sentence for readers who know no statistics.
    """

    svg: Markup
    says: str
    caption: str
    table: Table | None = None
    kind: str = "figure"


@dataclass(frozen=True)
class Note:
    """A sentence.

    `style` is `lead` for what a section says, `note`, `warning`, or `missing` for an output that
    the run lacks.
    """

    text: str
    style: Literal["lead", "note", "missing", "warning"] = "note"
    kind: str = "note"


@dataclass(frozen=True)
class CollapsedText:
    """Preformatted text in a collapsed element."""

    title: str
    text: str
    kind: str = "collapsed text"


@dataclass(frozen=True)
class CollapsedTable:
    """A table in a collapsed element."""

    title: str
    table: Table
    kind: str = "collapsed table"


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    text: str
    kind: str = "heading"


@dataclass(frozen=True)
class Links:
    """Links to files beside the page, by their path."""

    paths: Sequence[str]
    kind: str = "links"


@dataclass(frozen=True)
class Items:
    """Sentences as a list."""

    texts: Sequence[str]
    kind: str = "items"


Block = Table | Figure | Note | CollapsedText | CollapsedTable | Heading | Links | Items


@dataclass(frozen=True)
class Section:
    """One section of the page; those of the appendix come last."""

    id: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
    is_appendix: bool = False


def format_value(value: Any, form: Format = "text") -> str:
    """Format a value as text; a missing value becomes "n/a"."""
    if value is None or (not isinstance(value, (list, dict)) and pd.isna(value)):
        return "n/a"
    match form:
        case "money":
            return f"{_round(value, 0):,.0f}"
        case "ratio":
            return digits(_round(value, 12))
        case "percent":
            return percent(value)
        case "number":
            return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
        case "seconds":
            return f"{value:,.1f} s"
        case "text" | "span":
            return str(value)


def _round(value: float, decimals: int) -> float:
    """Round a number; a tiny negative number becomes 0.0, not -0.0."""
    return round(value, decimals) + 0.0


def table(frame: pd.DataFrame, columns: Mapping[Any, tuple[str, Format]]) -> Table:
    """Return a table of some columns of a frame.

    Args:
        frame: The rows.
        columns: The heading and format of each column, in the order of the table.
    """
    formats = list(columns.values())
    rows = [
        [
            Cell(format_value(value, form), form != "text")
            for value, (_, form) in zip(row, formats, strict=True)
        ]
        for row in frame[list(columns)].astype(object).itertuples(index=False, name=None)
    ]
    return Table([Cell(title, form != "text") for title, form in formats], rows)


def key_value_table(rows: Mapping[str, str]) -> Table:
    """Return a table of names and values, without a head."""
    return Table((), [[Cell(name), Cell(value)] for name, value in rows.items()])
