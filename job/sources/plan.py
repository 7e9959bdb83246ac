"""Plan the extraction: match each column of the config to the source, with role and aggregation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as default_field
from typing import Literal

import pyarrow as pa

from contract.config import Aggregation, Config, NumberFormat, safe_name
from contract.exceptions import ConfigError, DataError
from job.sources.schema import Field, Kind, find_fields

Role = Literal["target", "spend", "exposure", "organic", "context", "factor"]

_RATE_WORDS = re.compile(
    r"(^|[^a-z])(price|prices|preis|prix|precio|rate|rates|ratio|quote|share|index|pct|percent|avg|"
    r"average|mean|mittel|temp|temperature|temperatur|ctr|cpm|cpc|cpi|score|rating)([^a-z]|$)"
)
_TEXT_AGGREGATIONS = (Aggregation.FIRST, Aggregation.LAST, Aggregation.MIN, Aggregation.MAX)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of the model: its name in the config, in the source and in the snapshot."""

    name: str
    role: Role
    field: Field
    aggregation: Aggregation
    numbers: NumberFormat = default_field(default_factory=NumberFormat)

    @property
    def safe(self) -> str:
        """Return the column's name in the snapshot."""
        return safe_name(self.name)

    @property
    def as_text(self) -> bool:
        """Return whether values stay text, which holds for factors that are not numbers."""
        return self.role == "factor" and not self.field.kind.is_number

    @property
    def reads_text(self) -> bool:
        """Return whether values are numbers that the query parses from text."""
        return self.field.kind is Kind.TEXT and not self.as_text

    @property
    def arrow(self) -> pa.Field:
        """Return the column's declared type in the snapshot."""
        return pa.field(self.safe, pa.string() if self.as_text else pa.float64())


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The source's columns that the SQL builder uses."""

    table: str
    date: Field
    country: Field | None
    columns: tuple[Column, ...]

    def schema(self, config: Config) -> pa.Schema:
        """Return the snapshot's schema: the date, then the columns in the config's order."""
        date = pa.field(safe_name(config.date.column), pa.date32(), nullable=False)
        return pa.schema([date, *(column.arrow for column in self.columns)])


def default_aggregation(column: str, role: Role) -> Aggregation:
    """Return a column's default aggregation.

    It is `first` for factors, `mean` for context columns named like a rate or price, and `sum` for
    all others.
    """
    if role == "factor":
        return Aggregation.FIRST
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", column).lower()
    if role == "context" and _RATE_WORDS.search(words):
        return Aggregation.MEAN
    return Aggregation.SUM


def aggregations(config: Config) -> dict[str, Aggregation]:
    """Return the aggregation of each column: the config's own, else the default."""
    return {
        column: config.aggregation.get(column, default_aggregation(column, role))
        for column, role in _roles(config)
    }


def make_plan(config: Config, fields: Sequence[Field], *, table: str) -> Plan:
    """Match the config's columns to the source's.

    Args:
        config: The resolved config.
        fields: The source's columns.
        table: The source's description, for error messages.

    Raises:
        DataError: A column is missing or has a type that its role does not allow.
        ConfigError: A column's type does not allow its aggregation.
    """
    roles = _roles(config)
    names = [config.date.column, *(name for name, _ in roles)]
    if config.source.country_column:
        names.append(config.source.country_column)
    found = find_fields(dict.fromkeys(names), fields, table=table)
    by_column = aggregations(config)
    columns = tuple(
        Column(
            name=name,
            role=role,
            field=found[name],
            aggregation=by_column[name],
            numbers=config.numbers.of(name),
        )
        for name, role in roles
    )
    for column in columns:
        _check_type(column, table)
    country = config.source.country_column
    return Plan(
        table=table,
        date=found[config.date.column],
        country=found[country] if country else None,
        columns=columns,
    )


def _roles(config: Config) -> list[tuple[str, Role]]:
    """Return (column, role) in the snapshot's order; a channel's exposure follows its spend."""
    by_role = config.columns_by_role()
    media: list[tuple[str, Role]] = []
    for channel in config.channels:
        media.append((channel.spend, "spend"))
        if channel.exposure and channel.exposure != channel.spend:
            media.append((channel.exposure, "exposure"))
    pairs: list[tuple[str, Role]] = [
        (config.target.column, "target"),
        *media,
        *((name, "organic") for name in by_role["organic"]),
        *((name, "context") for name in by_role["context"]),
        *((name, "factor") for name in by_role["factor"]),
    ]
    return list(dict(reversed(pairs)).items())[::-1]


def _check_type(column: Column, table: str) -> None:
    kind = column.field.kind
    where = f"column `{column.name}` ({column.role}) of {table}"
    if column.as_text:
        if column.aggregation not in _TEXT_AGGREGATIONS:
            allowed = ", ".join(aggregation.value for aggregation in _TEXT_AGGREGATIONS)
            raise ConfigError(
                f"`aggregation.{column.name}` is `{column.aggregation.value}`, but the column's "
                f"type is {kind.value}; allowed: {allowed}"
            )
        if kind is not Kind.OTHER:
            return
    if kind in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMP_TZ, Kind.OTHER):
        found_type = "a nested or binary type" if kind is Kind.OTHER else f"a {kind.value}"
        raise DataError(f"{where} has {found_type}; allowed: numbers (or text for factors)")
