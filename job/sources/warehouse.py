"""The interface that every source implements, and how a client's errors are translated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

import pyarrow as pa
from sqlglot import exp

from contract.exceptions import MMMError
from job.sources.schema import Field

T = TypeVar("T")


def explained(call: Callable[[], T], explain: Callable[[Exception], MMMError | None]) -> T:
    """Call a client; raise its errors as `explain` translates them.

    An error that `explain` does not know (None) is raised unchanged: it is a fault of this project.
    """
    try:
        return call()
    except Exception as error:  # raised again in every case
        translated = explain(error)
        if translated is None:
            raise
        raise translated from None


class Warehouse(Protocol):
    """A read-only connection. It raises ServiceError, TransientError, DataError or ConfigError."""

    @property
    def dialect(self) -> str:
        """Return the SQL dialect's name in sqlglot: duckdb, snowflake or bigquery."""

    @property
    def description(self) -> str:
        """Return a description for error messages, e.g. "table `X` in Snowflake"."""

    @property
    def relation(self) -> exp.Expr:
        """Return the expression after FROM."""

    @property
    def first_row(self) -> int | None:
        """Return the number of the first row of data in a file; None for tables, without order."""

    def fields(self) -> Sequence[Field]:
        """Return the columns of the relation, in order."""

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Yield the result of a query, batch by batch."""

    def close(self) -> None:
        """Close the connection."""


def arrow_rows(batches: Iterator[pa.RecordBatch]) -> list[tuple[object, ...]]:
    """Return a small result as rows."""
    rows: list[tuple[object, ...]] = []
    for batch in batches:
        rows.extend(zip(*(column.to_pylist() for column in batch.columns), strict=True))
    return rows
