"""`mmm init`: propose a config for a table, query or file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from contract.exceptions import ConfigError
from mmm.commands.common import told_plainly
from mmm.propose import Given, init_config


def command(
    file: Annotated[
        str | None, typer.Argument(help="CSV, Parquet or DuckDB file, local or gs:// (no DuckDB).")
    ] = None,
    market: Annotated[str, typer.Option(help="Country or market code.")] = "XX",
    revision: Annotated[str, typer.Option(help="Name of this version of the model.")] = "r1",
    kind: Annotated[
        str, typer.Option("--type", help="snowflake or bigquery, where no file is given.")
    ] = "snowflake",
    table: Annotated[str | None, typer.Option(help="Table, e.g. DB.SCHEMA.TABLE.")] = None,
    query: Annotated[str | None, typer.Option(help="A single SELECT.")] = None,
    date: Annotated[
        str | None, typer.Option(help="The date column, where rules do not find it.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="The target, where rules do not find it.")
    ] = None,
    spend: Annotated[
        list[str],
        typer.Option(help="A channel's spend, where rules do not find it. May be repeated."),
    ] = [],  # noqa: B006  typer reads the default, nobody changes it
    output: Annotated[Path | None, typer.Option(help="Write here; never over a file.")] = None,
) -> None:
    """Print a commented config by documented rules, for review."""
    with told_plainly():
        try:
            text = init_config(
                _source(file, kind, table, query),
                market=market,
                revision=revision,
                given=Given(date=date, target=target, spends=tuple(spend)),
            )
        except ValidationError as error:
            raise ConfigError(str(error.errors()[0]["msg"])) from None
        if output is None:
            print(text, end="")
            return
        if output.exists():
            raise ConfigError(f"`{output}` exists; give another --output or remove it")
        output.write_text(text)


def _source(file: str | None, kind: str, table: str | None, query: str | None) -> dict[str, Any]:
    what = {key: value for key, value in (("table", table), ("query", query)) if value}
    if file is None:
        if not what:
            raise ConfigError("give a file, or --table or --query with --type")
        return {"type": kind, **what}
    if Path(file).suffix.lower() in (".duckdb", ".db"):
        return {"type": "duckdb", "path": file, **what}
    return {"type": "file", "path": file}
