"""Browse a warehouse: databases, schemas, datasets and tables that the job's account can see."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlglot import exp

from contract.exceptions import ConfigError, ServiceError
from job.sources.extract import open_source
from mmm.propose.table import parse_source

MOST = 1000  # names of a list


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Names in order; `is_cut` if there are more, so that a search has to narrow them."""

    names: Sequence[str]
    is_cut: bool = False


def inside(kind: str, place: Sequence[str], *, contains: str = "") -> Listing:
    """Return the names of what a place has.

    Args:
        kind: `snowflake` or `bigquery`.
        place: For Snowflake: nothing for the databases, a database for its schemas, both for the
            tables and views. For BigQuery: a project for its datasets, both for the tables and
            views.
        contains: What a name contains, in upper or lower case; everything if it is empty.

    Raises:
        ServiceError, TransientError: The warehouse refuses the request, or does not answer.
    """
    try:
        return _inside(kind, place, contains)
    except ServiceError as error:
        what = ".".join(place) or "the account"
        raise ServiceError(f"cannot list what `{what}` has: {error.message}") from None


def _inside(kind: str, place: Sequence[str], contains: str) -> Listing:
    if len(place) == 2:
        return tables(kind, place, contains=contains, most=MOST)
    if kind == "bigquery":
        from job.sources.bigquery import dataset_names

        found = dataset_names(*place)
        return _cut(sorted(name for name in found if contains.lower() in name.lower()), MOST)
    column = "schema_name" if place else "database_name"
    rows = exp.select(column).from_(
        _view("schemata", place[0]) if place else _view("databases", None)
    )
    if place:
        rows = rows.where(exp.column(column).neq("INFORMATION_SCHEMA"))
    return _names(kind, rows, contains, MOST, None)


def tables(
    kind: str,
    place: Sequence[str],
    *,
    most: int,
    contains: str = "",
    env: Mapping[str, str] | None = None,
) -> Listing:
    """Return the names of the tables and views of a schema or a dataset.

    Args:
        kind: `snowflake` or `bigquery`.
        place: The schema, or the dataset, after its database or project unless the environment
            sets that.
        most: The most names to return.
        contains: What a name contains, in upper or lower case; everything if it is empty.
        env: The variables that describe connections; the process's environment if None.

    Raises:
        ServiceError, TransientError: The warehouse refuses the request, or does not answer.
    """
    rows = exp.select("table_name")
    if kind == "bigquery":
        view = exp.to_identifier(f"{'.'.join(place)}.INFORMATION_SCHEMA.TABLES", quoted=True)
        rows = rows.from_(view)
    else:
        rows = rows.from_(_view("tables", place[0] if len(place) > 1 else None))
        rows = rows.where(exp.column("table_schema").eq(place[-1]))
    return _names(kind, rows, contains, most, env)


def written(names: Sequence[str], kind: str) -> str:
    """Return the parts of a name as `source.table` writes them.

    Raises:
        ConfigError: a part has a character that `source.table` cannot hold.
    """
    for name in names:
        if '"' in name:
            raise ConfigError(
                f"`{name}` has a quotation mark, which `source.table` cannot hold; read it with a "
                "query"
            )
    plain = "[A-Z_][A-Z0-9_$]*" if kind == "snowflake" else r'[^."]+'
    return ".".join(name if re.fullmatch(plain, name) else f'"{name}"' for name in names)


def _view(name: str, database: str | None) -> exp.Table:
    catalog = exp.to_identifier(database, quoted=True) if database else None
    return exp.table_(name, db="information_schema", catalog=catalog)


def _names(
    kind: str, rows: exp.Select, contains: str, most: int, env: Mapping[str, str] | None
) -> Listing:
    """Return the first column of a query of names, those that contain a text."""
    column = rows.named_selects[0]
    query = rows.order_by(column).limit(most + 1)
    if contains:
        text = exp.Literal.string(contains.lower())
        found = exp.StrPosition(this=exp.Lower(this=exp.column(column)), substr=text)
        query = query.where(found > 0)
    source = parse_source({"type": kind, "query": query.sql(dialect=kind)})
    with (
        TemporaryDirectory() as folder,
        closing(open_source(source, run_id="init", env=env, folder=Path(folder))) as warehouse,
    ):
        sql = exp.select("*").from_(warehouse.relation.copy()).sql(dialect=warehouse.dialect)
        batches = warehouse.stream(sql)
        return _cut([str(name) for b in batches for name in b.column(0).to_pylist()], most)


def _cut(names: Sequence[str], most: int) -> Listing:
    return Listing(names=names[:most], is_cut=len(names) > most)
