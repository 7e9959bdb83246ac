"""`mmm export FORMAT RUN`: the tables of a run, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmm.commands.common import (
    DEFAULT_BUCKET,
    Bucket,
    CurrentRun,
    JsonLines,
    Revision,
    one_of,
    report_errors,
)

FORMATS = ("csv", "parquet")


def command(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT", help="csv or parquet.", autocompletion=lambda: list(FORMATS)
        ),
    ],
    run: CurrentRun,
    output: Annotated[Path, typer.Option(help="Folder for the new files; it is made.")] = Path(),
    table: Annotated[
        list[str], typer.Option(help="Only this table, e.g. posterior. May be repeated.")
    ] = [],  # noqa: B006  typer reads the default, nothing changes it
    revision: Revision = "r1",
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: JsonLines = False,
) -> None:
    """Write the tables of a run to files.

    Writes one file per table to a folder and prints their paths and rows; docs/tables.md describes
    the columns. A file that exists is never replaced.

    Examples: mmm export csv DE --output tables; mmm export parquet DE --table decomposition
    """
    from contract.stores import open_store
    from mmm.compare.runs import find_run
    from mmm.export import export_tables

    with report_errors(as_json=as_json):
        one_of(kind, FORMATS, name="FORMAT")
        store = open_store(bucket)
        found = find_run(store, run, revision=revision)
        written = export_tables(store, found.manifest, output, kind=kind, only=table)
    for one in written:
        print(one.model_dump_json() if as_json else f"{one.path}  {one.rows} rows")
