"""`mmm init`: propose a config for a table, query or file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from contract.exceptions import ConfigError
from mmm.commands.common import one_of, report_errors

WAREHOUSES = ("snowflake", "bigquery")


def command(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="CSV, Parquet or Excel file, local or gs://, or a DuckDB file.",
        ),
    ] = None,
    market: Annotated[str, typer.Option(help="Country or market code.")] = "XX",
    revision: Annotated[str, typer.Option(help="Name of this version of the model.")] = "r1",
    kind: Annotated[
        str,
        typer.Option(
            "--type",
            help="snowflake or bigquery, if no file is given.",
            autocompletion=lambda: list(WAREHOUSES),
        ),
    ] = "snowflake",
    table: Annotated[str | None, typer.Option(help="Table, e.g. DB.SCHEMA.TABLE.")] = None,
    query: Annotated[str | None, typer.Option(help="A single SELECT.")] = None,
    sheet: Annotated[
        str | None, typer.Option(help="Sheet of an Excel workbook; by default the first table.")
    ] = None,
    date: Annotated[
        str | None, typer.Option(help="The date column, if the rules do not find it.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="The target column, if the rules do not find it.")
    ] = None,
    spend: Annotated[
        list[str],
        typer.Option(
            help="A channel's spend column, if the rules do not find it. May be repeated."
        ),
    ] = [],  # noqa: B006  typer reads the default, nothing changes it
    output: Annotated[
        Path | None, typer.Option(help="Write the config to this new file; folders are created.")
    ] = None,
) -> None:
    """Propose a config for a table.

    Prints YAML with comments that name the rule behind each line. Review it before you run it.
    """
    from mmm.propose import KnownColumns, init_config

    with report_errors():
        if output is not None and output.exists():
            raise ConfigError(f"`--output {output}` exists; choose another path or remove the file")
        text = init_config(
            _source(file, kind, table, query, sheet),
            market=market,
            revision=revision,
            known=KnownColumns(date=date, target=target, spends=tuple(spend)),
        )
        if output is None:
            print(text, end="")
            return
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            with output.open("x") as file_:
                file_.write(text)
        except OSError as error:
            raise ConfigError(
                f"`--output {output}` cannot be written: {error.strerror}; choose another path"
            ) from None


def _source(
    file: str | None, kind: str, table: str | None, query: str | None, sheet: str | None
) -> dict[str, Any]:
    what = {key: value for key, value in (("table", table), ("query", query)) if value}
    if file is None:
        if not what:
            raise ConfigError(
                "there is nothing to read; give a file, or --type with --table or --query"
            )
        return {"type": one_of(kind, WAREHOUSES, name="`--type`"), **what}
    if Path(file).suffix.lower() in (".duckdb", ".db"):
        return {"type": "duckdb", "path": file, **what}
    return {"type": "file", "path": file, **({"sheet": sheet} if sheet else {})}
