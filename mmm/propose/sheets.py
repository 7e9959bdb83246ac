"""Find the sheets of an Excel workbook that look like tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

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
