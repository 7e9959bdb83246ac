"""`mmm export FORMAT`: the tables of a run as files, or those of all runs in BigQuery."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from contract.exceptions import ConfigError
from mmm.commands.common import (
    DEFAULT_BUCKET,
    Bucket,
    JsonLines,
    Revision,
    one_of,
    report_errors,
)

FORMATS = ("csv", "parquet", "bigquery")


def command(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            help="csv, parquet or bigquery.",
            autocompletion=lambda: list(FORMATS),
        ),
    ],
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help="For files: a run's id, or a market for its current run.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option(help="For files: the folder that they go to; it is made.")
    ] = Path(),
    table: Annotated[
        list[str], typer.Option(help="Only this table, e.g. posterior. May be repeated.")
    ] = [],  # noqa: B006  typer reads the default, nothing changes it
    revision: Revision = "r1",
    dataset: Annotated[
        str | None, typer.Option(help="For bigquery: PROJECT.DATASET, where the bucket is.")
    ] = None,
    load: Annotated[
        bool, typer.Option("--load", help="For bigquery: also copy the views into tables.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="For bigquery: print the SQL and run nothing.")
    ] = False,
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: JsonLines = False,
) -> None:
    """Export result tables.

    `csv` and `parquet` write the tables of a run to files, one for each table, and print their
    paths; a file that exists is never replaced. `bigquery` makes external tables over the bucket
    (`all_models`, …), which need no load, and views (`models`, …) that show promoted runs only. Run
    it once for a bucket. docs/tables.md describes the columns.

    Examples: mmm export csv DE --output tables; mmm export bigquery --dataset PROJECT.mmm --bucket
    gs://BUCKET
    """
    with report_errors(as_json=as_json):
        one_of(kind, FORMATS, name="FORMAT")
        if kind == "bigquery":
            if run is not None or dataset is None:
                raise ConfigError(
                    "`mmm export bigquery` takes no RUN, and needs `--dataset PROJECT.DATASET`"
                )
            _to_bigquery(bucket, dataset, load=load, dry_run=dry_run, as_json=as_json)
            return
        if run is None:
            raise ConfigError(f"`mmm export {kind}` needs a RUN: a run's id, or a market")
        from contract.stores import open_store
        from mmm.compare.runs import find_run
        from mmm.export import export_tables

        store = open_store(bucket)
        found = find_run(store, run, revision=revision)
        written = export_tables(store, found.manifest, output, kind=kind, only=table)
    for one in written:
        print(one.model_dump_json() if as_json else f"{one.path}  {one.rows} rows")


def _to_bigquery(bucket: str, dataset: str, *, load: bool, dry_run: bool, as_json: bool) -> None:
    import os

    from mmm.bigquery import statements

    made = statements(bucket, dataset, load=load)
    if dry_run:
        for one in made:
            print(one.model_dump_json() if as_json else f"{one.sql};\n")
        return
    from job.sources.bigquery import make, open_client

    client, _ = open_client(os.environ)
    for one in made:
        make(client, one.sql, f"{one.kind} `{dataset}.{one.name}`")
        print(one.model_dump_json() if as_json else f"{one.kind} {dataset}.{one.name}", flush=True)
