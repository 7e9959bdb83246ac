"""`mmm init`: propose a config for a table, query or file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contract.exceptions import ConfigError
from mmm.commands.common import one_of, report_errors
from mmm.commands.proposals import (
    Answers,
    AsProposal,
    NewConfig,
    Yes,
    parse_answers,
    write_new,
)

if TYPE_CHECKING:
    from mmm.propose import Draft, Question

WAREHOUSES = ("snowflake", "bigquery")


def command(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="CSV, Parquet or Excel file, local or gs://; DuckDB file; or folder.",
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
    schema: Annotated[
        str | None,
        typer.Option(help="Snowflake schema or BigQuery dataset; lists its tables."),
    ] = None,
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
    answer: Answers = [],  # noqa: B006  typer reads the default, nothing changes it
    yes: Yes = False,
    as_json: AsProposal = False,
    output: NewConfig = None,
) -> None:
    """Propose a config for a table.

    Prints YAML with comments that name the rule behind each line. Review it before you run it. At a
    terminal, it asks about what the rules are unsure of; Enter takes the default, and Ctrl-D takes
    all defaults. --json prints the questions with their options instead, and --answer answers them.

    For a folder, a DuckDB file without --table and --query, or a --schema, it lists the tables with
    a score. With --json, the tables are a question, which --answer table=… answers.

    Examples: mmm init sales.csv --output de.yaml; mmm init --type bigquery --schema DATASET
    """
    from mmm.propose import KnownColumns, check_answers, draft, propose, read_table
    from mmm.propose.ask import answer_questions, is_terminal

    with report_errors(as_json=as_json):
        if output is not None and output.exists():
            raise ConfigError(f"`--output {output}` exists; choose another path or remove the file")
        known = KnownColumns(date=date, target=target, spends=tuple(spend))
        answers = parse_answers(answer)
        if schema is not None or (file is not None and _holds_tables(file, table, query)):
            from mmm.propose import candidates, places

            sources = _sources(file, kind, table, query, schema)
            if "table" not in answers:
                found = candidates.rank(sources)
                text = _several(candidates.question(found)) if as_json else candidates.show(found)
                write_new(text, output)
                return
            source = places.choose(sources, answers.pop("table"))
        else:
            source = _source(file, kind, table, query, sheet)
        read = read_table(source, sheet=answers.get("sheet"))
        if as_json:
            proposal = propose(read, market=market, revision=revision, known=known, answers=answers)
            write_new(proposal.model_dump_json(indent=2) + "\n", output)
            return
        made = draft(read, market=market, revision=revision, known=known, answers=answers)
        check_answers(answers, made.questions)
        if not yes and is_terminal():

            def again(answers: dict[str, str]) -> Draft:
                nonlocal read
                if answers.get("sheet", read.source.get("sheet")) != read.source.get("sheet"):
                    read = read_table(source, sheet=answers["sheet"])
                return draft(read, market=market, revision=revision, known=known, answers=answers)

            made = answer_questions(made, answers, again)
        if made.problem is not None:
            raise made.problem
        write_new(made.text or "", output)


def _sources(
    file: str | None, kind: str, table: str | None, query: str | None, schema: str | None
) -> dict[str, dict[str, Any]]:
    from mmm.propose.places import sources_in_path, sources_in_schema

    if schema is None:
        return sources_in_path(Path(file or ""))
    if file or table or query:
        raise ConfigError("`--schema` lists tables; leave out the file, --table and --query")
    return sources_in_schema(one_of(kind, WAREHOUSES, name="`--type`"), schema)


def _several(question: Question) -> str:
    """Return the proposal for programs that asks which table to use."""
    from mmm.propose import Proposal

    problem = "there are several tables; choose one with --answer table=…"
    proposal = Proposal(config=None, yaml=None, problem=problem, questions=[question])
    return proposal.model_dump_json(indent=2) + "\n"


def _holds_tables(file: str, table: str | None, query: str | None) -> bool:
    """Return whether the tables of a folder or a DuckDB file are to be listed."""
    path = Path(file)
    is_database = path.suffix.lower() in (".duckdb", ".db") and path.is_file()
    return path.is_dir() or (is_database and not table and not query)


def _source(
    file: str | None, kind: str, table: str | None, query: str | None, sheet: str | None
) -> dict[str, Any]:
    what = {key: value for key, value in (("table", table), ("query", query)) if value}
    if file is None:
        if not what:
            raise ConfigError(
                "there is nothing to read; give a file, or --type with --table, --query or --schema"
            )
        return {"type": one_of(kind, WAREHOUSES, name="`--type`"), **what}
    if Path(file).suffix.lower() in (".duckdb", ".db"):
        return {"type": "duckdb", "path": file, **what}
    return {"type": "file", "path": file, **({"sheet": sheet} if sheet else {})}
