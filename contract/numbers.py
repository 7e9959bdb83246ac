"""How the text columns of a source write their numbers."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from contract.base import Strict
from contract.faults import Fault, refuse
from contract.text import Column

Token = Annotated[str, StringConstraints(min_length=1, max_length=24)]
BLANKS = "\u0020\u00a0\u202f\u2009"  # plain, no-break, narrow no-break and thin space


class NumberFormat(Strict):
    """One way to write numbers."""

    decimal: Literal[".", ","] = Field(default=".", description="Decimal separator.")
    thousands: Literal[".", ",", " ", "'"] | None = Field(
        default=None, description="Thousands separator; a blank stands for all kinds of blanks."
    )
    symbols: list[Token] = Field(
        default=[],
        max_length=12,
        description="Currencies and units that are removed, e.g. € or EUR.",
    )
    missing: list[Token] = Field(
        default=[], max_length=24, description="Texts that mean that there is no value, e.g. #N/A."
    )
    zero: list[Token] = Field(
        default=[], max_length=24, description="Texts that mean zero, e.g. `-`."
    )
    parentheses: bool = Field(
        default=False, description="Whether numbers in parentheses are negative, e.g. (200.00)."
    )

    @model_validator(mode="after")
    def _two_separators(self) -> Self:
        if self.thousands == self.decimal:
            problem = f"is `{self.thousands}`, as is `decimal`; allowed: a different character"
            refuse([Fault(at=("thousands",), problem=problem)])
        return self

    @cached_property
    def pattern(self) -> str:
        """The regular expression of an unsigned number, without symbols and blanks at its ends."""
        part = f"([{self.decimal}][0-9]+)?"
        plain = f"[0-9]+{part}([eE][+-]?[0-9]+)?"
        if self.thousands is None:
            return plain
        between = f"[{BLANKS}]" if self.thousands == " " else f"[{self.thousands}]"
        lakhs = f"({between}[0-9]{{2}})*" if self.thousands == "," else ""  # 1,23,45,678 of India
        groups = f"[0-9]{{1,3}}{lakhs}({between}[0-9]{{3}})+"
        return f"({plain}|{groups}{part})"

    def read(self, text: str) -> float | None:
        """Return the number that a text writes, or None if it writes none.

        >>> NumberFormat(thousands=",", symbols=["$"], parentheses=True).read("($1,234.50)")
        -1234.5
        >>> NumberFormat(thousands=",").read("1,23,45,678.5")
        12345678.5
        >>> NumberFormat().read("1.19e+07")
        11900000.0
        """
        text = text.strip()
        if text in self.zero:
            return 0.0
        for symbol in self.symbols:
            text = text.replace(symbol, "")
        if self.parentheses:
            text = text.replace("(", "-").replace(")", "")
        text = text.replace("+ ", "+").replace("- ", "-").strip()
        negative, text = text[:1] == "-", text[text[:1] in ("+", "-") :]
        if not re.fullmatch(self.pattern, text):
            return None
        if self.thousands is not None:
            for separator in BLANKS if self.thousands == " " else self.thousands:
                text = text.replace(separator, "")
        number = float(text.replace(self.decimal, "."))
        return -number if negative else number


class Numbers(NumberFormat):
    """How all text columns write numbers, and the columns that differ."""

    columns: dict[Column, NumberFormat] = Field(
        default={}, description="Columns that write their numbers in another way."
    )

    def of(self, column: str) -> NumberFormat:
        """Return the format of one column."""
        return self.columns.get(column, self)

    @property
    def plain(self) -> bool:
        """Return whether numbers are written as 1234.56."""
        return self == Numbers()
