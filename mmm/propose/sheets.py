"""Choose the sheet of an Excel workbook that has the table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from contract.exceptions import DataError
from job.sources.duckdb import local_path
from job.sources.workbook import Workbook

_MIN_ROWS, _MIN_COLUMNS = 5, 3  # a date, a target and a spend


@dataclass(frozen=True, kw_only=True)
class TableSheet:
    """A sheet that looks like a table."""

    name: str
    rows: int
    columns: int


def table_sheets(path: str) -> tuple[list[str], list[TableSheet]]:
    """Return (the names of all visible sheets, the sheets among them that look like tables).

    Raises:
        DataError: The workbook cannot be read.
    """
    with TemporaryDirectory() as folder:
        workbook = Workbook(local_path(path, Path(folder)), path)
        visible = [sheet for sheet in workbook.sheets() if sheet.visible]
        found = []
        for sheet in visible:
            try:
                table = workbook.read(sheet)
            except DataError:
                if len(visible) == 1:
                    raise
                continue
            if table.rows >= _MIN_ROWS and len(table.names) >= _MIN_COLUMNS:
                found.append(TableSheet(name=sheet.name, rows=table.rows, columns=len(table.names)))
    return [sheet.name for sheet in visible], found


def with_sheet(source: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return (the source with the first sheet that looks like a table, notes on the choice)."""
    visible, tables = table_sheets(source["path"])
    if len(visible) < 2 or not tables:
        return source, []
    others = ", ".join(f"`{one.name}` ({one.rows:,} rows)" for one in tables[1:])
    notes = [f"CHECK: other sheets look like tables: {others}"] if others else []
    return {**source, "sheet": tables[0].name}, notes
