"""Read a sheet of an Excel workbook into a Parquet file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook, PasswordError
from python_calamine import SheetTypeEnum as SheetType
from python_calamine import SheetVisibleEnum as Visible

from contract.exceptions import DataError
from contract.source import WORKBOOKS
from contract.suggest import did_you_mean
from job.sources.sheet_table import SheetTable, read_table
from job.sources.workbook_limits import (
    OddCells,
    check_archive,
    check_file,
    check_shape,
    look_into,
)

_OLD, _ARCHIVE = b"\xd0\xcf\x11\xe0", b"PK\x03\x04"  # how .xls, and .xlsx, begin
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # what an encrypted .xlsx holds
T = TypeVar("T")


def is_workbook(path: str) -> bool:
    """Return whether a path names an Excel workbook."""
    return path.lower().endswith(WORKBOOKS)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A sheet that holds cells."""

    name: str
    index: int
    visible: bool


class Workbook:
    """An open workbook.

    Args:
        path: The local file.
        shown: The path for messages.

    Raises:
        DataError: The file is no workbook, is damaged, protected or too large.
    """

    def __init__(self, path: Path, shown: str) -> None:
        check_file(path, shown)
        self._path, self._shown = path, shown
        with path.open("rb") as file:
            start = file.read(512)
        self._is_archive = start.startswith(_ARCHIVE)
        if not self._is_archive and not start.startswith(_OLD):
            raise DataError(f"`{shown}` is no Excel workbook: {_what(start)}")
        if self._is_archive:
            check_archive(path, shown)
        elif _ENCRYPTED in path.read_bytes():
            raise self._protected()
        with path.open("rb") as file:
            self._workbook = self._call(lambda: CalamineWorkbook.from_filelike(file))

    def sheets(self) -> list[Sheet]:
        """Return the sheets that hold cells, in their order."""
        return [
            Sheet(name=one.name, index=index, visible=one.visible == Visible.Visible)
            for index, one in enumerate(self._workbook.sheets_metadata)
            if one.typ == SheetType.WorkSheet
        ]

    def find(self, name: str | None) -> Sheet:
        """Return a sheet by its name, or the first visible one.

        Raises:
            DataError: There is no such sheet; the message lists the sheets.
        """
        sheets = self.sheets()
        names = [sheet.name for sheet in sheets]
        if name is None:
            found = next((s for s in sheets if s.visible), sheets[0] if sheets else None)
            if found is None:
                raise DataError(f"`{self._shown}` has no sheet with cells")
            return found
        for sheet in sheets:
            if sheet.name == name:
                return sheet
        listed = ", ".join(f"`{one}`" for one in names[:20]) or "none"
        raise DataError(
            f"`source.sheet` is `{name}`, but `{self._shown}` has no sheet of this name; its "
            f"sheets: {listed}.{did_you_mean(name, names)}"
        )

    def read(self, sheet: Sheet) -> SheetTable:
        """Return the table of a sheet.

        Raises:
            DataError: The sheet has no table, or cells that cannot be read as one.
        """
        shown = f"sheet `{sheet.name}` of `{self._shown}`"
        odd = look_into(self._path, sheet.index, self._shown) if self._is_archive else OddCells()
        cells = self._call(lambda: self._workbook.get_sheet_by_index(sheet.index))
        check_shape(cells.total_height, cells.total_width, self._shown)
        rows = self._call(lambda: cells.to_python(skip_empty_area=False))
        merged = [(start, end) for start, end in cells.merged_cell_ranges or ()]
        return read_table(rows, merged, odd, shown)

    def _protected(self) -> DataError:
        return DataError(f"`{self._shown}` is protected with a password; save it without one")

    def _call(self, call: Callable[[], T]) -> T:
        """Call the reader and translate its errors."""
        try:
            return call()
        except PasswordError:
            raise self._protected() from None
        except CalamineError as error:
            problem = str(error)
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # how a fault in the reader arrives
                raise
            problem = "the reader does not understand it"
        raise DataError(
            f"`{self._shown}` cannot be read: {problem[:200]}; open it in Excel and save it as "
            ".xlsx again"
        ) from None


def convert_sheet(path: Path, sheet: str | None, *, shown: str, folder: Path) -> tuple[Path, int]:
    """Write a sheet's table as a Parquet file; return (its path, the number of its first row).

    Raises:
        DataError: The workbook cannot be read, or has no such sheet or no table in it.
    """
    workbook = Workbook(path, shown)
    table = workbook.read(workbook.find(sheet))
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "sheet.parquet"
    pq.write_table(table.to_arrow(), target)
    return target, table.first_row


def _what(start: bytes) -> str:
    """Return what a file that is no workbook is instead."""
    if not start:
        return "it is empty"
    if start.lstrip().lower().startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")):
        return "it is a web page or XML; open it in Excel and save it as .xlsx"
    if b"\0" not in start and (b"," in start or b";" in start or b"\t" in start):
        return "it is text; name it .csv"
    return "its content is another format; open it in Excel and save it as .xlsx"
