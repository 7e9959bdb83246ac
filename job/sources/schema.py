"""Columns of a source, and how a config's names find them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from contract.exceptions import DataError
from contract.suggest import did_you_mean


class Kind(StrEnum):
    """What a column holds, whatever the warehouse calls it."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIMESTAMP_TZ = "timestamp with zone"
    TEXT = "text"
    OTHER = "other"

    @property
    def is_number(self) -> bool:
        """Whether values can be added as they are."""
        return self in (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One column of the source, by its exact name."""

    name: str
    kind: Kind


def match(wanted: str, fields: Sequence[Field], *, table: str) -> Field:
    """The field that a config means: the same name, else the only one that differs in case.

    Raises:
        DataError: no such column, or several that differ in case only.
    """
    for field in fields:
        if field.name == wanted:
            return field
    alike = [field for field in fields if field.name.lower() == wanted.lower()]
    if len(alike) == 1:
        return alike[0]
    if alike:
        names = ", ".join(f"`{field.name}`" for field in alike)
        raise DataError(f"column `{wanted}` of {table} could be {names}; write it exactly")
    there = [field.name for field in fields]
    hint = did_you_mean(wanted, there) or f" It has {_some(there)}."
    raise DataError(f"{table} has no column `{wanted}`.{hint}")


def match_all(wanted: Iterable[str], fields: Sequence[Field], *, table: str) -> dict[str, Field]:
    """`match` for every name; all that is missing is told in one message."""
    found: dict[str, Field] = {}
    problems: list[str] = []
    for name in wanted:
        try:
            found[name] = match(name, fields, table=table)
        except DataError as error:
            problems.append(error.message)
    if problems:
        raise DataError("\n".join(problems))
    return found


def _some(names: Sequence[str], limit: int = 12) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:limit])
    return f"{shown}, …" if len(names) > limit else shown or "no columns"
