"""Find the table in the cells of a sheet, and give each column one type."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from contract.exceptions import DataError
from job.sources.date_texts import parse_day
from job.sources.workbook_limits import OddCells, Place

Range = tuple[Place, Place]
_LOOK = 200  # rows in which the header is searched
_EXACT = 1 << 53  # integers up to here are exact in Excel
_SWAPPED = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y")
_SWAPPED_US = tuple(f.replace("%d", "#").replace("%m", "%d").replace("#", "%m") for f in _SWAPPED)


@dataclass(frozen=True, kw_only=True)
class SheetTable:
    """The table of a sheet.

    Attributes:
        names: the columns' names.
        columns: the cells of each column, in rows; None for an empty cell.
        first_row: the number of the first row of data in the sheet, from 1.
    """

    names: list[str]
    columns: list[list[Any]]
    first_row: int

    @property
    def rows(self) -> int:
        """The number of rows with a value."""
        return sum(any(cell is not None for cell in row) for row in zip(*self.columns, strict=True))

    def to_arrow(self) -> pa.Table:
        """Return the table; a column with cells of several types becomes text."""
        return pa.Table.from_arrays([_array(c) for c in self.columns], names=self.names)


def read_table(
    grid: Sequence[Sequence[Any]], merged: Sequence[Range], odd: OddCells, shown: str
) -> SheetTable:
    """Return the table in a sheet's cells.

    Args:
        grid: The cells, from the sheet's first row and column; an empty cell is "".
        merged: The first and last place of each merged range.
        odd: Cells that the grid has as empty, although they hold an error or a formula.
        shown: The sheet, for messages.

    Raises:
        DataError: There is no table, or a figure is in a merged cell, formulas have no result, or
            day and month are swapped in a part of the dates.
    """
    rows = [[_cell(cell) for cell in row] for row in grid]
    for (row, column), text in odd.errors.items():
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = text
    header = _find_header(rows, shown)
    names, start = _names(rows, merged, header)
    if odd.uncomputed:
        row, column = odd.uncomputed[0]
        if row >= start and column < len(names):
            raise DataError(
                f"{shown}: {len(odd.uncomputed):,} formulas have no result, the first in column "
                f"`{names[column] or letters(column)}`, row {row + 1:,}; open the workbook in "
                "Excel and save it, so that it has the results"
            )
    _fill_merged(rows, merged, start, names, shown)
    body = rows[start:]
    while body and all(cell is None for cell in body[-1]):
        body.pop()
    columns = [[row[j] for row in body] for j in range(len(names))]
    kept = [j for j, name in enumerate(names) if name or any(c is not None for c in columns[j])]
    table = SheetTable(
        names=[names[j] or f"column_{letters(j)}" for j in kept],
        columns=[columns[j] for j in kept],
        first_row=start + 1,
    )
    for name, cells in zip(table.names, table.columns, strict=True):
        _refuse_swapped(name, cells, table.first_row, shown)
    return table


def letters(column: int) -> str:
    """Return the letters of a column, counted from 0.

    >>> letters(0), letters(27)
    ('A', 'AB')
    """
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def _cell(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell if cell.strip() else None
    return cell


def _filled(row: Sequence[Any]) -> int:
    return sum(cell is not None for cell in row)


def _find_header(rows: Sequence[Sequence[Any]], shown: str) -> int:
    """Return the row of the header: the first that has text in nearly all columns of the table."""
    first = rows[:_LOOK]
    widest = max((_filled(row) for row in first), default=0)
    if widest == 0:
        raise DataError(f"{shown} is empty")
    for share in (0.8, 0.5):
        for index, row in enumerate(first):
            texts = [cell for cell in row if cell is not None]
            if len(texts) >= share * widest and all(isinstance(cell, str) for cell in texts):
                return index
    return next(index for index, row in enumerate(first) if 2 * _filled(row) >= widest)


def _names(
    rows: Sequence[Sequence[Any]], merged: Sequence[Range], header: int
) -> tuple[list[str], int]:
    """Return (the columns' names, the first row of data).

    A header of two rows, the upper with merged cells, gives names such as `TV spend`.
    """
    upper, lower = None, header
    groups = _groups(rows, merged, header)
    if groups and header + 1 < len(rows) and _is_text(rows[header + 1]):
        upper, lower = header, header + 1
    elif header and (groups := _groups(rows, merged, header - 1)):
        upper = header - 1
    names = []
    for column, own in enumerate(rows[lower]):
        above = None
        if upper is not None:
            above = groups.get(column, rows[upper][column])
        names.append(" ".join(" ".join(_text(c) for c in (above, own) if c is not None).split()))
    return names, lower + 1


def _groups(rows: Sequence[Sequence[Any]], merged: Sequence[Range], row: int) -> dict[int, Any]:
    """Return the text over each column in a row of merged cells; a title over all is no group."""
    width = max(_filled(one) for one in rows[:_LOOK])
    return {
        column: rows[row][left]
        for (top, left), (bottom, right) in merged
        if top == bottom == row and 1 < right - left + 1 < 0.8 * width
        for column in range(left, right + 1)
        if rows[row][left] is not None
    }


def _is_text(row: Sequence[Any]) -> bool:
    return all(cell is None or isinstance(cell, str) for cell in row)


def _fill_merged(
    rows: list[list[Any]], merged: Sequence[Range], start: int, names: Sequence[str], shown: str
) -> None:
    """Repeat the text or date of cells that are merged over rows; refuse numbers."""
    for (top, left), (bottom, _) in merged:
        bottom = min(bottom, len(rows) - 1)  # noqa: PLW2901  rows below hold no cells
        if top < start or bottom <= top or rows[top][left] is None:
            continue
        value = rows[top][left]
        if isinstance(value, int | float) and not isinstance(value, bool):
            raise DataError(
                f"{shown}: `{names[left] or letters(left)}` has the number {_text(value)} in cells "
                f"merged over rows {top + 1:,} to {bottom + 1:,}; split them, and write the value "
                "of each row"
            )
        for row in range(top, bottom + 1):
            rows[row][left] = value


def _refuse_swapped(name: str, cells: Sequence[Any], first_row: int, shown: str) -> None:
    """Refuse dates of which Excel has read a part with day and month swapped.

    It reads `03/04/2024` in the order of its language and leaves `25/04/2024` as text, because
    there is no month 25.
    """
    days = [cell for cell in cells if isinstance(cell, date)]
    texts = [(row, cell) for row, cell in enumerate(cells) if isinstance(cell, str)]
    if len(days) < 3 or len(texts) < 3 or any(day.day > 12 for day in days):
        return
    for formats, order in ((_SWAPPED, "day/month"), (_SWAPPED_US, "month/day")):
        read = [any(parse_day(text, one) for one in formats) for _, text in texts]
        other = [_second_or_first_over_12(text, first=order == "day/month") for _, text in texts]
        if all(read) and all(other):
            row, text = texts[0]
            raise DataError(
                f"{shown}: `{name}` has dates with day and month swapped: Excel could not read "
                f"{len(texts):,} of them, e.g. `{text}` in row {row + first_row:,}, and swapped "
                f"the {len(days):,} others. Import the original file again, with {order} as the "
                "order of the column"
            )


def _second_or_first_over_12(text: str, *, first: bool) -> bool:
    parts = re.split(r"[/.\-]", text.strip())
    part = parts[0 if first else 1] if len(parts) > 1 else ""
    return part.isdigit() and int(part) > 12


def _array(cells: Sequence[Any]) -> pa.Array:
    """Return a column as numbers, dates, moments, booleans or text."""
    present = [cell for cell in cells if cell is not None]
    if present and all(isinstance(cell, bool) for cell in present):
        return pa.array(cells, pa.bool_())
    if present and all(_is_number(cell) for cell in present):
        if all(cell == int(cell) and abs(cell) < _EXACT for cell in present):
            return pa.array([None if c is None else int(c) for c in cells], pa.int64())
        return pa.array([None if c is None else float(c) for c in cells], pa.float64())
    if present and all(isinstance(cell, date) for cell in present):
        moments = [None if cell is None else _moment(cell) for cell in cells]
        if any(one.time() != time() for one in moments if one is not None):
            return pa.array(moments, pa.timestamp("us"))
        return pa.array([None if m is None else m.date() for m in moments], pa.date32())
    return pa.array([None if cell is None else _text(cell) for cell in cells], pa.string())


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _moment(cell: date) -> datetime:
    return cell if isinstance(cell, datetime) else datetime.combine(cell, time())


def _text(cell: Any) -> str:
    """Return a cell as text, in a form that no format of numbers reads as another number."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float):
        if cell == int(cell) and abs(cell) < _EXACT:
            return str(int(cell))
        text = format(Decimal(repr(float(cell))), "f")
        # `1.234` could be a thousand and more where other cells write `1.234,56`
        return f"{text}0" if len(text.partition(".")[2]) == 3 else text
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell) if isinstance(cell, timedelta) else repr(cell)
