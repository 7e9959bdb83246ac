"""Where the data comes from. Connections come from the environment or a secret, never from here."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from contract.base import Strict

_PLAIN = r"^[^\x00-\x1f\x7f]+$"
Column = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=_PLAIN)]
Place = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=_PLAIN)]
TableName = Annotated[
    str, StringConstraints(pattern=r'^[A-Za-z0-9_$"\-]+(\.[A-Za-z0-9_$"\-]+){0,2}$', max_length=400)
]
Query = Annotated[str, StringConstraints(min_length=8, max_length=65536)]


class _Source(Strict):
    country_column: Column | None = Field(
        default=None, description="Column by which one market's rows are picked."
    )
    country: str | None = Field(
        default=None,
        max_length=64,
        pattern=_PLAIN,
        description="Value of `country_column` that is picked; the market where it is left out.",
    )


class _TableOrQuery(_Source):
    table: TableName | None = Field(
        default=None, description="Table or view, e.g. DB.SCHEMA.TABLE."
    )
    query: Query | None = Field(default=None, description="A single SELECT, used as a subquery.")

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("give exactly one of `table` and `query`")
        return self


class FileSource(_Source):
    """A CSV or Parquet file, local or gs://."""

    type: Literal["file"]
    path: Place = Field(description="Path or gs:// address.")


class DuckDBSource(_TableOrQuery):
    """A table or query of a DuckDB file."""

    type: Literal["duckdb"]
    path: Place = Field(description="Path of the DuckDB file.")


class SnowflakeSource(_TableOrQuery):
    """A table or query in Snowflake; the connection is read from SNOWFLAKE_* variables."""

    type: Literal["snowflake"]


class BigQuerySource(_TableOrQuery):
    """A table or query in BigQuery; credentials are the job's own service account."""

    type: Literal["bigquery"]
    location: str | None = Field(
        default=None, max_length=64, pattern=_PLAIN, description="Where the query runs."
    )


Source = Annotated[
    FileSource | DuckDBSource | SnowflakeSource | BigQuerySource, Field(discriminator="type")
]
