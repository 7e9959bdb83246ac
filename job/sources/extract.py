"""Extract a config's data into a snapshot: connect, plan, query, stream, count, write."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import date
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
from job.sources.diagnose import (
    faulty_rows,
    no_rows,
    readable_date,
    unreadable_dates,
    unreadable_values,
)
from job.sources.periods import (
    EvidenceCounter,
    check_range,
    incomplete_edges,
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

    Each client retries its own calls. If the source still does not answer, or its answer is cut
    off, the function discards the partial result and reads once more from the beginning.

    Args:
        config: The resolved config.
        run_id: Becomes the warehouse's query tag.
        to: The Parquet file to write.
        env: The variables that describe connections; the process's environment if None.
        local_annotations: Whether `annotations` may be a local file.

    Raises:
        DataError: The table, columns or rows do not exist or have an unusable type.
        ServiceError: The warehouse refuses the request.
        TransientError: The warehouse does not answer.
    """
    started = time.monotonic()
    to.parent.mkdir(parents=True, exist_ok=True)
    # before the query, so that a fault in the file costs no query
    annotations = read_annotations(config, files=local_annotations)
    try:
        snapshot = _extract_once(config, run_id=run_id, to=to, env=env)
    except TransientError as error:
        log.warning("reading the source again from the beginning: %s", error)
        snapshot = _extract_once(config, run_id=run_id, to=to, env=env)
    if annotations is not None:
        snapshot = join(snapshot, annotations, config.date.frequency)
    return snapshot.timed(time.monotonic() - started)


def _extract_once(
    config: Config, *, run_id: str, to: Path, env: Mapping[str, str] | None
) -> Snapshot:
    with closing(open_warehouse(config, run_id=run_id, env=env, folder=to.parent)) as warehouse:
        plan = make_plan(config, warehouse.fields(), table=warehouse.description)
        return _read(config, plan, warehouse, to)


def planned_sql(config: Config, *, env: Mapping[str, str] | None = None) -> str:
    """Return the query that `extract` would run; this reads only the source's columns."""
    with (
        TemporaryDirectory() as folder,
        closing(open_warehouse(config, run_id="plan", env=env, folder=Path(folder))) as warehouse,
    ):
        plan = make_plan(config, warehouse.fields(), table=warehouse.description)
        return write_sql(config, plan, warehouse)


def open_warehouse(
    config: Config, *, run_id: str, env: Mapping[str, str] | None = None, folder: Path
) -> Warehouse:
    """Open a connection to the config's source."""
    return open_source(config.source, run_id=run_id, env=env, folder=folder)


def open_source(
    source: Source, *, run_id: str, env: Mapping[str, str] | None = None, folder: Path
) -> Warehouse:
    """Open a connection to a source; files from a bucket are downloaded to `folder`."""
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
    """Return the query in the warehouse's dialect."""
    tree = build(config, plan, warehouse.relation)
    return str(tree.sql(dialect=warehouse.dialect, pretty=True))


def _read(config: Config, plan: Plan, warehouse: Warehouse, to: Path) -> Snapshot:
    sql = write_sql(config, plan, warehouse)
    counter = EvidenceCounter(config, plan)
    declared = result_schema(config, plan)
    nulls = 0

    def values() -> Iterator[pa.RecordBatch]:
        nonlocal nulls
        for batch in warehouse.stream(sql):
            periods = counter.count(cast_batch(batch, declared, warehouse.description))
            nulls += sum(column.null_count for column in periods.columns)
            yield periods

    def counted(*, dropped: tuple[date, ...] = (), filled: tuple[date, ...] = ()) -> Evidence:
        found = counter.evidence(dropped=dropped, filled=filled)
        examples = faulty_rows(config, plan, warehouse, found.notices)
        unreadable = sorted({notice.column for notice in found.notices if notice.unreadable})
        if not (found.unreadable_dates or unreadable):
            return replace(found, examples=examples)
        examples += unreadable_values(
            config, plan, warehouse, columns=unreadable, dates=bool(found.unreadable_dates)
        )
        turned = None
        if found.unreadable_dates and counter.days_up_to_12:
            turned = readable_date(config, plan, warehouse)
        return replace(found, examples=examples, turned=turned)

    write_snapshot = partial(
        write, schema=plan.schema(config), to=to, sql=(sql,), source=warehouse.description
    )
    try:
        snapshot = write_snapshot(values(), evidence=counted)
    except DataError:
        if counter.unreadable_dates:
            raise unreadable_dates(config, plan, warehouse, counter.unreadable_dates) from None
        if not counter.spans().size:
            raise no_rows(config, plan, warehouse) from None
        raise
    check_range(
        counter.spans(),
        config.date.column,
        where=lambda: Evidence(
            examples=unreadable_values(config, plan, warehouse, columns=(), dates=True)
        ).examples_of(config.date.column),
    )
    dropped = incomplete_edges(counter.spans(), config.date.frequency)
    if not needs_repair(config, nulls, counter.spans(), dropped):
        return snapshot
    table, filled = repair(pq.read_table(to), config, plan, dropped=dropped)
    repaired = counted(dropped=dropped, filled=filled)
    return write_snapshot(iter(table.to_batches()), evidence=lambda: repaired)


def cast_batch(batch: pa.RecordBatch, schema: pa.Schema, source: str) -> pa.RecordBatch:
    """Cast a batch to the declared types, which differ from the types of some warehouses.

    Raises:
        DataError: The batch has other columns, or a value does not fit its type.
    """
    if batch.num_columns != len(schema):
        raise DataError(f"{source} returned {batch.num_columns} columns; expected: {len(schema)}")
    arrays = []
    for column, field in zip(batch.columns, schema, strict=True):
        try:
            arrays.append(column if column.type == field.type else _cast(column, field.type))
        except pa.ArrowException as error:
            raise DataError(
                f"{source} returned {column.type} for `{field.name}`; expected: {field.type}: "
                f"{error}"
            ) from None
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _cast(column: pa.Array, to: pa.DataType) -> pa.Array:
    if pa.types.is_decimal(column.type) and pa.types.is_integer(to):
        return column.cast(pa.decimal128(38, 0)).cast(to)
    if pa.types.is_timestamp(column.type) and pa.types.is_date(to):
        return column.cast(to, safe=False)
    return column.cast(to)
