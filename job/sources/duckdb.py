"""DuckDB files, and CSV and Parquet files read by DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from contract.exceptions import DataError, NotFoundError, TransientError
from contract.source import DuckDBSource, FileSource
from contract.stores import open_store, split_uri
from contract.suggest import did_you_mean
from job.sources import relation as relations
from job.sources.schema import Field, Kind

BATCH_ROWS = 50_000
_MEMORY = "1GB"
_FILE_VIEW = "file"


class DuckDB:
    """A read-only connection that reaches nothing but what it was opened for."""

    dialect = "duckdb"

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, relation: exp.Expr, description: str
    ) -> None:
        self._connection = connection
        self.relation = relation
        self.description = description

    def fields(self) -> Sequence[Field]:
        """Columns of the relation."""
        select = exp.select("*").from_(self.relation.copy()).sql(dialect="duckdb")
        rows = self._run(f"DESCRIBE {select}").fetchall()
        return [Field(name=row[0], kind=kind_of(row[1])) for row in rows]

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        """The result of a query."""
        try:
            yield from self._connection.sql(sql).to_arrow_reader(BATCH_ROWS)
        except (duckdb.Error, pa.ArrowException) as error:
            raise self._told(error) from None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _run(self, sql: str) -> Any:
        try:
            return self._connection.execute(sql)
        except duckdb.Error as error:
            raise self._told(error) from None

    def _told(self, error: Exception) -> Exception:
        text = _first_lines(error)
        if isinstance(error, duckdb.CatalogException):
            return DataError(self._missing(text))
        return DataError(f"{self.description} cannot be read: {text}")

    def _missing(self, text: str) -> str:
        sql = "select table_schema || '.' || table_name from information_schema.tables"
        there = [str(row[0]) for row in self._connection.execute(sql).fetchall()]
        if isinstance(self.relation, exp.Table):
            wanted = f"{self.relation.db or 'main'}.{self.relation.name}"
            hint = did_you_mean(wanted, there) or f" There are {', '.join(there[:10]) or 'none'}."
            return f"there is no {self.description}.{hint}"
        return f"{self.description} cannot be run: {text}"


def open_database(source: DuckDBSource) -> DuckDB:
    """A table or query of a DuckDB file.

    Raises:
        DataError: no such file, or not a DuckDB file.
    """
    path = Path(source.path)
    if not path.is_file():
        raise DataError(f"`source.path` is `{source.path}`, but there is no such file")
    relation = relations.of(source, "duckdb")
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
    _settle(connection)
    what = f"table `{source.table}` in" if source.table else "the query on"
    return DuckDB(connection, relation, f"{what} `{source.path}`")


def open_file(source: FileSource, *, folder: Path) -> DuckDB:
    """A CSV or Parquet file; one in a bucket is brought to `folder` first.

    CSV cells are text until the query reads them as numbers and dates, so nothing depends on
    a guess from the first rows.

    Raises:
        DataError: no such file, or not readable as what its name says.
    """
    path = _local(source.path, folder)
    literal = exp.Literal.string(str(path)).sql(dialect="duckdb")
    if path.suffix.lower() in (".parquet", ".pq"):
        reader = f"read_parquet({literal})"
    elif path.suffix.lower() in (".csv", ".tsv", ".txt", ".gz"):
        reader = f"read_csv({literal}, all_varchar = true, header = true)"
    else:
        raise DataError(f"`source.path` is `{source.path}`; allowed: .csv, .tsv, .csv.gz, .parquet")
    connection = duckdb.connect(":memory:")
    file = DuckDB(
        connection, exp.Table(this=exp.to_identifier(_FILE_VIEW, quoted=True)), f"`{source.path}`"
    )
    try:
        _settle(connection, reads=path)
        connection.execute(f"CREATE VIEW {_FILE_VIEW} AS SELECT * FROM {reader}")  # noqa: S608 # nosec B608
    except duckdb.Error as error:
        file.close()
        raise DataError(f"`{source.path}` cannot be read: {_first_lines(error)}") from None
    return file


def _settle(connection: duckdb.DuckDBPyConnection, *, reads: Path | None = None) -> None:
    """No files but `reads`, no network, no extensions, one thread: sums come out the same."""
    if reads is not None:
        connection.execute("SET allowed_paths = [?]", [str(reads)])
    for setting in (
        f"SET memory_limit = '{_MEMORY}'",
        "SET threads = 1",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ):
        connection.execute(setting)


def _local(path: str, folder: Path) -> Path:
    if path.startswith("gs://"):
        bucket, name = split_uri(path)
        # A name of our own: the object's may be that of another file of the run, or a pattern.
        local = folder / f"source{Path(name).suffix}"
        try:
            open_store(f"gs://{bucket}").download(name, local)
        except NotFoundError:
            raise DataError(f"`source.path` is `{path}`, but there is no such object") from None
        return local
    if "://" in path:
        raise DataError(f"`source.path` is `{path}`; allowed: a local path or gs://BUCKET/PATH")
    local = Path(path)
    if not local.is_file():
        near = [file.name for file in local.parent.glob("*")] if local.parent.is_dir() else []
        raise DataError(
            f"`source.path` is `{path}`, but there is no such file.{did_you_mean(local.name, near)}"
        )
    return local


def kind_of(name: str) -> Kind:
    """The kind of a DuckDB type, by its name."""
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
        "TIMESTAMPTZ_NS": Kind.TIMESTAMP_TZ,  # how pandas writes moments to Parquet
        "TIMESTAMP": Kind.TIMESTAMP,
        "TIMESTAMP_S": Kind.TIMESTAMP,
        "TIMESTAMP_MS": Kind.TIMESTAMP,
        "TIMESTAMP_NS": Kind.TIMESTAMP,
    }.get(name, Kind.OTHER)


def _first_lines(error: Exception, limit: int = 2) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:limit])[:400]
