"""Read DuckDB databases, and read CSV, Parquet and Excel files through DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from contract.exceptions import DataError, NotFoundError, TransientError
from contract.source import WORKBOOKS, DuckDBSource, FileSource
from contract.stores import open_store, split_uri
from contract.suggest import did_you_mean
from job.sources.csv_files import as_utf8, refuse_repeated_headers
from job.sources.relation import source_relation
from job.sources.schema import Field, Kind
from job.sources.workbook import convert_sheet

BATCH_ROWS = 50_000
_MEMORY = "1GB"
_FILE_VIEW = "file"


class DuckDB:
    """A read-only connection that can read its own database or file and nothing else."""

    dialect = "duckdb"

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        relation: exp.Expr,
        description: str,
        *,
        first_row: int | None = None,
    ) -> None:
        self.first_row = first_row
        self._connection = connection
        self.relation = relation
        self.description = description

    def fields(self) -> Sequence[Field]:
        """Return the columns of the relation."""
        select = exp.select("*").from_(self.relation.copy()).sql(dialect="duckdb")
        rows = self._run(f"DESCRIBE {select}").fetchall()
        return [Field(name=row[0], kind=kind_of(row[1])) for row in rows]

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Yield the result of a query, batch by batch."""
        try:
            yield from self._connection.sql(sql).to_arrow_reader(BATCH_ROWS)
        except (duckdb.Error, pa.ArrowException) as error:
            raise self._explain(error) from None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _run(self, sql: str) -> Any:
        try:
            return self._connection.execute(sql)
        except duckdb.Error as error:
            raise self._explain(error) from None

    def _explain(self, error: Exception) -> Exception:
        text = _first_lines(error)
        if isinstance(error, duckdb.CatalogException):
            return DataError(self._explain_missing(text))
        return DataError(f"{self.description} cannot be read: {text}")

    def _explain_missing(self, text: str) -> str:
        sql = "select table_schema || '.' || table_name from information_schema.tables"
        tables = [str(row[0]) for row in self._connection.execute(sql).fetchall()]
        if isinstance(self.relation, exp.Table):
            name = f"{self.relation.db or 'main'}.{self.relation.name}"
            existing = ", ".join(tables[:10]) or "none"
            hint = did_you_mean(name, tables) or f" Existing tables: {existing}."
            return f"{self.description} does not exist.{hint}"
        return f"{self.description} failed: {text}"


def open_database(source: DuckDBSource) -> DuckDB:
    """Open a table or query of a DuckDB file.

    Raises:
        DataError: The file does not exist or is not a DuckDB file.
        TransientError: Another process has locked the file.
    """
    path = Path(source.path)
    if not path.is_file():
        raise DataError(f"`source.path` is `{source.path}`, but this file does not exist")
    relation = source_relation(source, "duckdb")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise TransientError(
                f"`{source.path}` is in use by another process: {_first_lines(error)}"
            ) from None
        raise DataError(f"`{source.path}` is not a DuckDB file: {_first_lines(error)}") from None
    except duckdb.Error as error:
        raise DataError(f"`{source.path}` cannot be opened: {_first_lines(error)}") from None
    _restrict(connection)
    subject = f"table `{source.table}` in" if source.table else "the query on"
    return DuckDB(connection, relation, f"{subject} `{source.path}`")


def open_file(source: FileSource, *, folder: Path) -> DuckDB:
    """Open a CSV, Parquet or Excel file; a file in a bucket is downloaded to `folder` first.

    CSV cells stay text until the query parses them as numbers and dates. So no type depends on a
    guess from the first rows. A sheet is converted to a Parquet file in `folder`.

    Raises:
        DataError: The file does not exist, or its content does not match its extension.
    """
    path, encoding = local_path(source.path, folder), None
    kind = path.suffix.lower()
    first_row = 1
    if kind in WORKBOOKS:
        path, first_row = convert_sheet(path, source.sheet, shown=source.path, folder=folder)
        kind = path.suffix
    if kind in (".csv", ".tsv", ".txt", ".gz"):
        path, encoding = as_utf8(path, folder)
    literal = exp.Literal.string(str(path)).sql(dialect="duckdb")
    if kind in (".parquet", ".pq"):
        reader = f"read_parquet({literal})"
    elif kind in (".csv", ".tsv", ".txt", ".gz"):
        reader, first_row = f"read_csv({literal}, all_varchar = true, header = true)", 2
    else:
        raise DataError(
            f"`source.path` is `{source.path}`; allowed: .csv, .tsv, .csv.gz, .parquet, .xlsx, .xls"
        )
    connection = duckdb.connect(":memory:")
    file = DuckDB(
        connection,
        exp.Table(this=exp.to_identifier(_FILE_VIEW, quoted=True)),
        f"`{source.path}`" + (f" (read as {encoding} text)" if encoding else ""),
        first_row=first_row,
    )
    try:
        _restrict(connection, reads=path)
        connection.execute(f"CREATE VIEW {_FILE_VIEW} AS SELECT * FROM {reader}")  # noqa: S608 # nosec B608
        names = _header(connection, path, literal)
    except duckdb.Error as error:
        file.close()
        raise DataError(f"`{source.path}` cannot be read: {_first_lines(error)}") from None
    try:
        refuse_repeated_headers(names, f"`{source.path}`")
    except DataError:
        file.close()
        raise
    return file


def _header(
    connection: duckdb.DuckDBPyConnection, path: Path, literal: str
) -> Sequence[str | None]:
    """Return the names as the file has them; DuckDB renames repeated ones."""
    if path.suffix.lower() in (".parquet", ".pq"):
        schema = f"SELECT name FROM parquet_schema({literal}) WHERE num_children IS NULL"  # noqa: S608 # nosec B608
        return [row[0] for row in connection.execute(schema).fetchall()]
    rows = f"SELECT * FROM read_csv({literal}, all_varchar = true, header = false) LIMIT 1"  # noqa: S608 # nosec B608
    return next(iter(connection.execute(rows).fetchall()), ())


def _restrict(connection: duckdb.DuckDBPyConnection, *, reads: Path | None = None) -> None:
    """Forbid the network, extensions and all files except `reads`.

    A single thread makes sums reproducible.
    """
    if reads is not None:
        connection.execute("SET allowed_paths = [?]", [str(reads)])
    for setting in (
        f"SET memory_limit = '{_MEMORY}'",
        "SET threads = 1",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ):
        connection.execute(setting)


def local_path(path: str, folder: Path) -> Path:
    """Return a local path to the file; objects in a bucket are downloaded."""
    if path.startswith("gs://"):
        bucket, name = split_uri(path)
        # A fixed name, because the object's name may clash with a file of the run or be a pattern.
        local = folder / f"source{Path(name).suffix}"
        try:
            open_store(f"gs://{bucket}").download(name, local)
        except NotFoundError:
            raise DataError(f"`source.path` is `{path}`, but this object does not exist") from None
        return local
    if "://" in path:
        raise DataError(f"`source.path` is `{path}`; allowed: a local path or gs://BUCKET/PATH")
    local = Path(path)
    if not local.is_file():
        names = [file.name for file in local.parent.glob("*")] if local.parent.is_dir() else []
        raise DataError(
            f"`source.path` is `{path}`, but this file does not exist."
            f"{did_you_mean(local.name, names)}"
        )
    return local


def kind_of(name: str) -> Kind:
    """Return the kind of a DuckDB type, given the type's name."""
    name = name.upper()
    if name.startswith("DECIMAL"):
        return Kind.DECIMAL
    if name.endswith("INT") or name in ("INTEGER", "UINTEGER"):
        return Kind.INTEGER
    if name.startswith("ENUM"):
        return Kind.TEXT
    return {
        "DOUBLE": Kind.FLOAT,
        "FLOAT": Kind.FLOAT,
        "REAL": Kind.FLOAT,
        "BOOLEAN": Kind.BOOLEAN,
        "DATE": Kind.DATE,
        "VARCHAR": Kind.TEXT,
        "TIMESTAMP WITH TIME ZONE": Kind.TIMESTAMP_TZ,
        "TIMESTAMPTZ_NS": Kind.TIMESTAMP_TZ,  # pandas writes this type to Parquet
        "TIMESTAMP": Kind.TIMESTAMP,
        "TIMESTAMP_S": Kind.TIMESTAMP,
        "TIMESTAMP_MS": Kind.TIMESTAMP,
        "TIMESTAMP_NS": Kind.TIMESTAMP,
    }.get(name, Kind.OTHER)


def _first_lines(error: Exception, limit: int = 2) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:limit])[:400]
