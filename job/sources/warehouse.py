"""What every source can do, and types shared by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import pyarrow as pa
from sqlglot import exp

from job.sources.schema import Field


class Warehouse(Protocol):
    """A connection that reads. Errors: ServiceError, TransientError, DataError, ConfigError."""

    @property
    def dialect(self) -> str:
        """Name of its SQL for sqlglot: duckdb, snowflake, bigquery."""

    @property
    def description(self) -> str:
        """What is read, for people: `table X of Y`."""

    @property
    def relation(self) -> exp.Expr:
        """What stands after FROM."""

    def fields(self) -> Sequence[Field]:
        """Columns of the relation, in order."""

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        """The result of a query, batch by batch."""

    def close(self) -> None:
        """Give the connection back."""


def arrow_rows(batches: Iterator[pa.RecordBatch]) -> list[tuple[object, ...]]:
    """A small result as rows."""
    rows: list[tuple[object, ...]] = []
    for batch in batches:
        rows.extend(zip(*(column.to_pylist() for column in batch.columns), strict=True))
    return rows
