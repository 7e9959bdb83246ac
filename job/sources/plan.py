"""What is asked of the source: every column of the config with its role, type and aggregation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from contract.config import Aggregation, Config, safe_name
from contract.exceptions import ConfigError, DataError
from job.sources.schema import Field, Kind, match_all

Role = Literal["target", "spend", "exposure", "organic", "context", "factor"]

_RATE = re.compile(
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

    @property
    def safe(self) -> str:
        """The name in the snapshot."""
        return safe_name(self.name)

    @property
    def as_text(self) -> bool:
        """Whether values stay text: factors that are not numbers."""
        return self.role == "factor" and not self.field.kind.is_number

    @property
    def reads_text(self) -> bool:
        """Whether numbers are read from text."""
        return self.field.kind is Kind.TEXT and not self.as_text

    @property
    def arrow(self) -> pa.Field:
        """The column's declared type in the snapshot."""
        return pa.field(self.safe, pa.string() if self.as_text else pa.float64())


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that the SQL builder needs to know."""

    table: str
    date: Field
    country: Field | None
    columns: tuple[Column, ...]

    def schema(self, config: Config) -> pa.Schema:
        """Names and types of the snapshot: the date, then the columns in the config's order."""
        date = pa.field(safe_name(config.date.column), pa.date32(), nullable=False)
        return pa.schema([date, *(column.arrow for column in self.columns)])


def default_aggregation(column: str, role: Role) -> Aggregation:
    """Sum; mean for context columns named like a rate or price; first for factors."""
    if role == "factor":
        return Aggregation.FIRST
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", column).lower()
    if role == "context" and _RATE.search(words):
        return Aggregation.MEAN
    return Aggregation.SUM


def aggregations(config: Config) -> dict[str, Aggregation]:
    """How each column of the config is joined, the config's own word first."""
    return {
        column: config.aggregation.get(column, default_aggregation(column, role))
        for column, role in _roles(config)
    }


def make_plan(config: Config, fields: Sequence[Field], *, table: str) -> Plan:
    """Match the config to the source's columns.

    Raises:
        DataError: columns that are missing or cannot be what the config says.
        ConfigError: an aggregation that the column's type does not allow.
    """
    roles = _roles(config)
    wanted = [config.date.column, *(name for name, _ in roles)]
    if config.source.country_column:
        wanted.append(config.source.country_column)
    found = match_all(dict.fromkeys(wanted), fields, table=table)
    how = aggregations(config)
    columns = tuple(
        Column(name=name, role=role, field=found[name], aggregation=how[name])
        for name, role in roles
    )
    for column in columns:
        _check(column, table)
    country = config.source.country_column
    return Plan(
        table=table,
        date=found[config.date.column],
        country=found[country] if country else None,
        columns=columns,
    )


def _roles(config: Config) -> list[tuple[str, Role]]:
    """Columns in the order of the snapshot; a channel's exposure follows its spend."""
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


def _check(column: Column, table: str) -> None:
    kind = column.field.kind
    where = f"column `{column.name}` ({column.role}) of {table}"
    if column.as_text:
        if column.aggregation not in _TEXT_AGGREGATIONS:
            allowed = ", ".join(how.value for how in _TEXT_AGGREGATIONS)
            raise ConfigError(
                f"`aggregation.{column.name}` is `{column.aggregation.value}`, but the column "
                f"holds {kind.value}; allowed: {allowed}"
            )
        if kind is not Kind.OTHER:
            return
    if kind in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMP_TZ, Kind.OTHER):
        what = "a nested or binary type" if kind is Kind.OTHER else f"a {kind.value}"
        raise DataError(f"{where} is {what}; allowed: numbers (or text for factors)")
