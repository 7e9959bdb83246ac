"""Read the table that a proposal is made for: its columns, a sample, and the sheet it is in."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from pydantic import BaseModel, ValidationError
from sqlglot import exp

from contract.exceptions import ConfigError
from contract.explain import explain
from contract.source import FileSource, Source
from job.sources.extract import open_source
from job.sources.workbook import is_workbook
from mmm.propose.profiles import SAMPLE_ROWS, profile_columns
from mmm.propose.questions import Example, Option, Question
from mmm.propose.rules import ColumnProfile
from mmm.propose.sheets import table_sheets


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table's columns and a sample of its rows.

    Attributes:
        source: the source, as in a config.
        is_file: whether it is a file.
        profiles: a profile of each column.
        frame: the sample.
        rows: the number of rows, of the sample or of the table.
        description: the source's name for messages.
        relation: the expression after FROM.
        dialect: the dialect of SQL.
        first_row: the number of the first row in a file.
        notes: comments on the source.
        questions: questions about the source.
    """

    source: dict[str, Any]
    is_file: bool
    profiles: list[ColumnProfile]
    frame: pd.DataFrame
    rows: int
    description: str
    relation: exp.Expr
    dialect: str
    first_row: int | None
    notes: tuple[str, ...]
    questions: tuple[Question, ...]

    def examples(self, column: str, number: int) -> list[Example]:
        """Return the first values of a column, with their rows in a file."""
        values = self.frame[column].dropna()
        return [
            Example(
                row=None if self.first_row is None else index + self.first_row, value=str(v)[:40]
            )
            for index, v in zip(values.index[:number].tolist(), values[:number], strict=True)
        ]


def read_table(
    source: dict[str, Any],
    *,
    sheet: str | None = None,
    env: dict[str, str] | None = None,
    count: bool = False,
) -> Table:
    """Read a sample of a source.

    Args:
        source: The source, as in a config.
        sheet: The answer to the question for the sheet.
        env: The variables that describe connections; the process's environment if None.
        count: Whether to count all rows, if there are more than the sample has.

    Raises:
        ConfigError: The source is not valid.
        DataError: The source cannot be read, or is empty.
    """
    checked = parse_source(source)
    notes: list[str] = []
    questions: list[Question] = []
    if isinstance(checked, FileSource) and is_workbook(checked.path) and checked.sheet is None:
        source, notes, questions = _with_sheet(source, sheet)
        checked = parse_source(source)
    with (
        TemporaryDirectory() as folder,
        closing(open_source(checked, run_id="init", env=env, folder=Path(folder))) as warehouse,
    ):
        profiles, frame = profile_columns(warehouse)
        rows = len(frame)
        if count and rows == SAMPLE_ROWS:
            all_rows = exp.select("COUNT(*)").from_(warehouse.relation.copy())
            (batch,) = warehouse.stream(all_rows.sql(dialect=warehouse.dialect))
            rows = int(batch.column(0)[0].as_py())
        is_file = isinstance(checked, FileSource)
        relation = warehouse.relation
        if isinstance(checked, FileSource):
            path = f"{checked.path}.csv" if is_workbook(checked.path) else checked.path
            relation = exp.Table(this=exp.to_identifier(path, quoted=True))
        return Table(
            source=source,
            is_file=is_file,
            profiles=profiles,
            frame=frame,
            rows=rows,
            description=warehouse.description,
            relation=relation,
            dialect=warehouse.dialect,
            first_row=warehouse.first_row,
            notes=tuple(notes),
            questions=tuple(questions),
        )


class _Document(BaseModel):
    """The part of a config that a proposal needs."""

    source: Source


def parse_source(source: dict[str, Any]) -> Source:
    """Return a source that is checked.

    Raises:
        ConfigError: The source is not valid.
    """
    try:
        return _Document.model_validate({"source": source}).source
    except ValidationError as error:
        raise ConfigError(explain(error, _Document)) from None


def _with_sheet(
    source: dict[str, Any], answer: str | None
) -> tuple[dict[str, Any], list[str], list[Question]]:
    """Return (the source with its sheet, notes on the choice, the question if there is one)."""
    visible, tables = table_sheets(source["path"])
    if len(visible) < 2 or not tables:
        return source, [], []
    names = [one.name for one in tables]
    if len(names) < 2:
        return {**source, "sheet": names[0]}, [], []
    answer = answer if answer in names else None
    question = Question(
        id="sheet",
        text=f"Which sheet of `{source['path']}` has the table?",
        options=[
            Option(value=one.name, label=f"{one.rows:,} rows, {one.columns:,} columns")
            for one in tables
        ],
        default=names[0],
        answer=answer,
    )
    others = ", ".join(f"`{one.name}` ({one.rows:,} rows)" for one in tables[1:])
    notes = [] if answer else [f"CHECK: other sheets look like tables: {others}"]
    return {**source, "sheet": answer or names[0]}, notes, [question]
