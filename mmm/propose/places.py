"""List the tables of a folder, a DuckDB file, a Snowflake schema or a BigQuery dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from contract.exceptions import ConfigError, DataError, ServiceError
from contract.suggest import did_you_mean
from job.sources.relation import table as table_name
from mmm.propose.browse import tables, written

MAX_TABLES = 50
DATABASES = (".duckdb", ".db")
_FILES = (".csv", ".tsv", ".gz", ".parquet", ".pq", ".xlsx", ".xlsm", ".xls")


def sources_in_path(path: Path) -> dict[str, dict[str, Any]]:
    """Return the name and the source of each table of a folder or a DuckDB file.

    Raises:
        DataError: There is no table.
    """
    sources = _tables(path) if path.is_file() else _files(path)
    if not sources:
        raise DataError(f"`{path}` has no table; allowed: files that end with {', '.join(_FILES)}")
    if path.is_file():
        return {source["table"]: source for source in sources}
    return {" ".join([s["path"], *([s["table"]] if "table" in s else [])]): s for s in sources}


def sources_in_schema(
    kind: str, schema: str, *, env: dict[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the name and the source of each table and view of a schema or dataset.

    Args:
        kind: `snowflake` or `bigquery`.
        schema: The name of a Snowflake schema or BigQuery dataset, with its database or project
            unless the environment sets it.
        env: The variables that describe connections; the process's environment if None.

    Raises:
        ConfigError: The name is not valid.
        DataError: There is no table.
        ServiceError: The warehouse refuses the request.
    """
    try:
        inside = table_name(f"{schema}.x", kind)
    except ConfigError:
        allowed = "SCHEMA or DATABASE.SCHEMA" if kind == "snowflake" else "dataset, project.dataset"
        raise ConfigError(f"`--schema` is `{schema}`; allowed: {allowed}") from None
    place = [part.name for part in inside.parts[:-1]]
    try:
        names = tables(kind, place, most=MAX_TABLES, env=env).names
    except ServiceError as error:
        raise ServiceError(f"`--schema {schema}`: {error.message}") from None
    if not names:
        raise DataError(
            f"`{schema}` has no table that can be seen; check the name and the rights to read it"
        )
    shown = [f"{schema}.{written([name], kind)}" for name in names if '"' not in name]
    return {name: {"type": kind, "table": name} for name in shown}


def choose(sources: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the source of the table that was answered.

    Raises:
        ConfigError: There is no such table.
    """
    if name not in sources:
        allowed = list(sources)
        raise ConfigError(
            f"`--answer table={name}`; allowed: {', '.join(allowed)}.{did_you_mean(name, allowed)}"
        )
    return sources[name]


def _files(folder: Path) -> list[dict[str, Any]]:
    sources: list[dict[str, Any]] = []
    for file in sorted(folder.iterdir()):
        if not file.is_file() or file.name.startswith((".", "~$")):
            continue
        if file.suffix.lower() in _FILES:
            sources.append({"type": "file", "path": str(file)})
        elif file.suffix.lower() in DATABASES:
            sources += _tables(file)
    return sources


def _tables(file: Path) -> list[dict[str, Any]]:
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            rows = connection.execute(
                "SELECT table_schema, table_name FROM information_schema.tables "
                "ORDER BY ALL LIMIT ?",
                [MAX_TABLES],
            ).fetchall()
    except duckdb.Error as error:
        raise DataError(f"`{file}` is not a DuckDB file: {str(error).splitlines()[0]}") from None
    return [
        {"type": "duckdb", "path": str(file), "table": f"{_quoted(schema)}.{_quoted(name)}"}
        for schema, name in rows
    ]


def _quoted(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else f'"{name}"'
