"""`mmm init`: propose a config for a table, query or file. A person reviews the proposal."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlglot import exp

from contract.exceptions import ConfigError, DataError
from contract.explain import explain
from contract.source import FileSource, Source
from contract.suggest import did_you_mean
from job.gate.wording import name_list
from job.sources.extract import open_source
from job.sources.workbook import is_workbook
from mmm.propose.long_table import LongTable, find_long_table, pivot_query
from mmm.propose.profiles import profile_columns
from mmm.propose.proposal import write_proposal
from mmm.propose.rules import KnownColumns, guess_roles
from mmm.propose.sheets import with_sheet

__all__ = ["KnownColumns", "init_config"]


def init_config(
    source: dict[str, Any],
    *,
    market: str,
    revision: str = "r1",
    known: KnownColumns | None = None,
    env: dict[str, str] | None = None,
) -> str:
    """Return a commented YAML config for a source.

    Args:
        source: The source, as in a config.
        market: The market's code.
        revision: The name of this version of the model.
        known: Columns whose role the user has set.
        env: The variables that describe connections; the process's environment if None.

    Raises:
        ConfigError: The source is not valid, or its table has other markets but not this one.
        DataError: No date, target or channel column is found, or the table is in long format.
    """
    known = known or KnownColumns()
    checked = _parse_source(source)
    notes: list[str] = []
    if isinstance(checked, FileSource) and is_workbook(checked.path) and checked.sheet is None:
        source, notes = with_sheet(source)
        checked = _parse_source(source)
    with (
        TemporaryDirectory() as folder,
        closing(open_source(checked, run_id="init", env=env, folder=Path(folder))) as warehouse,
    ):
        profiles, frame = profile_columns(warehouse)
        description, relation, dialect = (
            warehouse.description,
            warehouse.relation,
            warehouse.dialect,
        )
    names = [column.name for column in profiles]
    for name in (known.date, known.target, *known.spends):
        if name is not None and name not in names:
            raise DataError(f"{description} has no column `{name}`.{did_you_mean(name, names)}")
    long_table = None if known.spends else find_long_table(profiles, frame, known.date)
    if long_table is not None:
        is_file = isinstance(checked, FileSource)
        relation = _file_relation(checked.path) if isinstance(checked, FileSource) else relation
        sql = pivot_query(frame, long_table, relation).sql(dialect=dialect, pretty=True)
        names_column = long_table.names.name
        raise DataError(
            f"{description} is in long format, with one row per date and `{names_column}`; "
            "a model needs one column per channel. "
            + (
                "Convert it with this query, e.g. with DuckDB: COPY (…) TO 'wide.parquet'. Then "
                "run `mmm init wide.parquet`. The query:"
                if is_file
                else "Run `mmm init` with --query and this query:"
            )
            + f"\n\n{sql}"
            + _repeated_note(long_table)
        )
    return write_proposal(
        guess_roles(profiles, known),
        profiles,
        frame,
        source,
        market=market,
        revision=revision,
        source_name=description,
        source_notes=notes,
    )


def _repeated_note(table: LongTable) -> str:
    notes = []
    if table.repeated:
        listed = name_list(column.name for column in table.repeated)
        notes.append(
            f"The query takes MAX of {listed}, because all rows of a date have the same value."
        )
    if table.groups:
        groups = name_list(column.name for column in table.groups)
        if table.repeated_in_groups:
            listed = name_list(column.name for column in table.repeated_in_groups)
            notes.append(
                f"It takes MAX of {listed} within each {groups} and then the SUM, because all "
                f"rows of a date and {groups} have the same value."
            )
        if table.national:
            listed = name_list(column.name for column in table.national)
            notes.append(
                f"It takes MAX of {listed} over {groups}, because all of them have the same value."
            )
    return "".join(f"\n\n{note}" for note in notes)


class _Document(BaseModel):
    """The part of a config that a proposal needs."""

    source: Source


def _parse_source(source: dict[str, Any]) -> Source:
    document = {"source": source}
    try:
        return _Document.model_validate(document).source
    except ValidationError as error:
        raise ConfigError(explain(error, _Document)) from None


def _file_relation(path: str) -> exp.Expr:
    return exp.Table(this=exp.to_identifier(path, quoted=True))
