"""From a config to a snapshot: connect, plan, query, stream, count, write."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from contract.config import Config
from contract.exceptions import DataError, TransientError
from contract.source import BigQuerySource, DuckDBSource, FileSource, Source
from job.sources.annotations_file import read_annotations
from job.sources.annotations_join import join
from job.sources.diagnose import no_rows, unreadable_dates
from job.sources.periods import (
    Tally,
    broken_edges,
    needs_repair,
    repair,
    result_schema,
)
from job.sources.plan import Plan, make_plan
from job.sources.snapshot import Evidence, Snapshot, write
from job.sources.sql import build
from job.sources.warehouse import Warehouse

log = logging.getLogger(__name__)


def extract(
    config: Config,
    *,
    run_id: str,
    to: Path,
    env: Mapping[str, str] | None = None,
    local_annotations: bool = True,
) -> Snapshot:
    """Read the config's source into a snapshot file.

    The clients retry their own calls. A source that still does not answer, or whose answer breaks
    off, is read once more from the beginning: half a result is never continued.

    Args:
        config: The resolved config.
        run_id: Goes into the warehouse's query tag.
        to: Parquet file to write.
        env: Where connections are described; the process's environment if None.
        local_annotations: Whether `annotations` may be a local file.

    Raises:
        DataError: table, columns or rows are not there, or not of a type that can be used.
        ServiceError: the warehouse refuses.
        TransientError: it does not answer.
    """
    started = time.monotonic()
    to.parent.mkdir(parents=True, exist_ok=True)
    annotations = read_annotations(config, files=local_annotations)  # its faults cost no query
    try:
        snapshot = _once(config, run_id=run_id, to=to, env=env)
    except TransientError as error:
        log.warning("the source is read again from the beginning: %s", error)
        snapshot = _once(config, run_id=run_id, to=to, env=env)
    if annotations is not None:
        snapshot = join(snapshot, annotations, config.date.frequency)
    return snapshot.timed(time.monotonic() - started)


def _once(config: Config, *, run_id: str, to: Path, env: Mapping[str, str] | None) -> Snapshot:
    with closing(open_warehouse(config, run_id=run_id, env=env, folder=to.parent)) as warehouse:
        plan = make_plan(config, warehouse.fields(), table=warehouse.description)
        return _read(config, plan, warehouse, to)


def planned_sql(config: Config, *, env: Mapping[str, str] | None = None) -> str:
    """The query that `extract` would run; the source is asked for its columns only."""
    with (
        TemporaryDirectory() as folder,
        closing(open_warehouse(config, run_id="plan", env=env, folder=Path(folder))) as warehouse,
    ):
        plan = make_plan(config, warehouse.fields(), table=warehouse.description)
        return write_sql(config, plan, warehouse)


def open_warehouse(
    config: Config, *, run_id: str, env: Mapping[str, str] | None = None, folder: Path
) -> Warehouse:
    """A connection to the config's source."""
    return open_source(config.source, run_id=run_id, env=env, folder=folder)


def open_source(
    source: Source, *, run_id: str, env: Mapping[str, str] | None = None, folder: Path
) -> Warehouse:
    """A connection to a source; files from a bucket are brought to `folder`."""
    if isinstance(source, FileSource | DuckDBSource):
        from job.sources import duckdb

        if isinstance(source, FileSource):
            return duckdb.open_file(source, folder=folder)
        return duckdb.open_database(source)
    environment = os.environ if env is None else env
    if isinstance(source, BigQuerySource):
        from job.sources import bigquery

        return bigquery.connect(source, run_id=run_id, env=environment)
    from job.sources import snowflake

    return snowflake.connect(source, run_id=run_id, env=environment)


def write_sql(config: Config, plan: Plan, warehouse: Warehouse) -> str:
    """The query in the warehouse's dialect."""
    tree = build(config, plan, warehouse.relation)
    return str(tree.sql(dialect=warehouse.dialect, pretty=True))


def _read(config: Config, plan: Plan, warehouse: Warehouse, to: Path) -> Snapshot:
    sql = write_sql(config, plan, warehouse)
    tally = Tally(config, plan)
    wanted = result_schema(config, plan)
    nulls = 0

    def values() -> Iterator[pa.RecordBatch]:
        nonlocal nulls
        for batch in warehouse.stream(sql):
            taken = tally.take(explicit(batch, wanted, warehouse.description))
            nulls += sum(column.null_count for column in taken.columns)
            yield taken

    def evidence() -> Evidence:
        return tally.evidence(dropped=(), filled=())

    schema = plan.schema(config)
    keep = partial(write, schema=schema, to=to, sql=(sql,), source=warehouse.description)
    try:
        snapshot = keep(values(), evidence=evidence)
    except DataError:
        if tally.unreadable_dates:
            raise unreadable_dates(config, plan, warehouse, tally.unreadable_dates) from None
        if not tally.edges().size:
            raise no_rows(config, plan, warehouse) from None
        raise
    dropped = broken_edges(tally.edges(), config.date.frequency)
    if not needs_repair(config, nulls, tally.edges(), dropped):
        return snapshot
    table, filled = repair(pq.read_table(to), config, plan, dropped=dropped)
    repaired = tally.evidence(dropped=dropped, filled=filled)
    return keep(iter(table.to_batches()), evidence=lambda: repaired)


def explicit(batch: pa.RecordBatch, schema: pa.Schema, source: str) -> pa.RecordBatch:
    """A batch in the declared types, whatever a warehouse made of them.

    Raises:
        DataError: other columns than asked for, or values that the type does not hold.
    """
    if batch.num_columns != len(schema):
        raise DataError(
            f"{source} answered with {batch.num_columns} columns instead of {len(schema)}"
        )
    arrays = []
    for column, wanted in zip(batch.columns, schema, strict=True):
        try:
            arrays.append(column if column.type == wanted.type else _cast(column, wanted.type))
        except pa.ArrowException as error:
            raise DataError(
                f"{source} answered with {column.type} where {wanted.type} was asked for: {error}"
            ) from None
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _cast(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    if pa.types.is_decimal(column.type) and pa.types.is_integer(wanted):
        return column.cast(pa.decimal128(38, 0)).cast(wanted)
    if pa.types.is_timestamp(column.type) and pa.types.is_date(wanted):
        return column.cast(wanted, safe=False)
    return column.cast(wanted)
