"""Where the data comes from. Connections come from the environment or a secret, never from here."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from contract.base import Strict
from contract.faults import Fault, refuse
from contract.text import Column, Label, Location, Query, TableName


class _Source(Strict):
    country_column: Column | None = Field(
        default=None, description="Column that says which market a row belongs to."
    )
    country: Label | None = Field(
        default=None,
        description="Value of `country_column` in the rows to read; the market if left out.",
    )


class _TableOrQuery(_Source):
    table: TableName | None = Field(
        default=None, description="Table or view, e.g. DB.SCHEMA.TABLE."
    )
    query: Query | None = Field(default=None, description="A single SELECT; it becomes a subquery.")

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("give exactly one of `table` and `query`")
        return self


WORKBOOKS = (".xlsx", ".xlsm", ".xls")


class FileSource(_Source):
    """A CSV, Parquet or Excel file, local or gs://."""

    type: Literal["file"]
    path: Location = Field(description="Path or gs:// address.")
    sheet: Label | None = Field(
        default=None,
        description="Sheet of an Excel workbook; the first visible sheet if left out.",
    )

    @model_validator(mode="after")
    def _sheet_of_a_workbook(self) -> Self:
        if self.sheet is not None and not self.path.lower().endswith(WORKBOOKS):
            problem = f"is `{self.sheet}`; allowed: a sheet of an Excel workbook (.xlsx, .xls)"
            refuse([Fault(at=("sheet",), problem=problem)])
        return self


class DuckDBSource(_TableOrQuery):
    """A table or query of a DuckDB file."""

    type: Literal["duckdb"]
    path: Location = Field(description="Path of the DuckDB file.")


class SnowflakeSource(_TableOrQuery):
    """A table or query in Snowflake; the connection is read from SNOWFLAKE_* variables."""

    type: Literal["snowflake"]


class BigQuerySource(_TableOrQuery):
    """A table or query in BigQuery; credentials are the job's own service account."""

    type: Literal["bigquery"]
    location: Label | None = Field(
        default=None, description="Location in which the query runs, e.g. EU."
    )


Source = Annotated[
    FileSource | DuckDBSource | SnowflakeSource | BigQuerySource, Field(discriminator="type")
]


def _csv_file(path: str) -> str:
    elsewhere = "://" in path and not path.startswith("gs://")
    if elsewhere or not path.isprintable() or not path.lower().endswith(".csv"):
        problem = f"is `{path}`; allowed: a .csv file, local or gs://"
        refuse([Fault(at=(), problem=problem)])
    return path


EventsFile = Annotated[str, StringConstraints(max_length=1024), AfterValidator(_csv_file)]
