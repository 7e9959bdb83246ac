"""The columns of a source, and the search for a config's columns among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from contract.exceptions import DataError
from contract.suggest import did_you_mean


class Kind(StrEnum):
    """A column's type, independent of the warehouse."""

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
        """Return whether the values are numbers."""
        return self in (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One column of the source, with its exact name."""

    name: str
    kind: Kind


def find_field(name: str, fields: Sequence[Field], *, table: str) -> Field:
    """Return the field with this name, or the only field whose name differs just in case.

    Raises:
        DataError: No field matches, or several fields differ just in case.
    """
    for field in fields:
        if field.name == name:
            return field
    candidates = [field for field in fields if field.name.lower() == name.lower()]
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        names = " or ".join(f"`{field.name}`" for field in candidates)
        raise DataError(f"column `{name}` of {table} could be {names}; use the exact name")
    existing = [field.name for field in fields]
    hint = did_you_mean(name, existing) or f" It has {_name_list(existing)}."
    raise DataError(f"{table} has no column `{name}`.{hint}")


def find_fields(names: Iterable[str], fields: Sequence[Field], *, table: str) -> dict[str, Field]:
    """Return the field of each name; one error reports all names that are not found.

    Raises:
        DataError: See `find_field`; the message has one line per name.
    """
    found: dict[str, Field] = {}
    problems: list[str] = []
    for name in names:
        try:
            found[name] = find_field(name, fields, table=table)
        except DataError as error:
            problems.append(error.message)
    if problems:
        raise DataError("\n".join(problems))
    return found


def _name_list(names: Sequence[str], limit: int = 12) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:limit])
    return f"{shown}, …" if len(names) > limit else shown or "no columns"
