"""Look into an Excel workbook before it is read: its size, and the cells that hold errors.

A workbook is a compressed archive of XML, so a small file may need any amount of memory. The reader
keeps a sheet as a full rectangle, and the text of a repeated cell once per cell.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from contract.exceptions import DataError

MAX_FILE = 100 << 20
MAX_XML = 300 << 20
MAX_CELLS = 3_000_000
MAX_TEXT = 256 << 20
_CHUNK = 1 << 18
# What zip, inflate and XML readers raise for damaged content; each becomes a DataError.
_DAMAGES = (
    *(zipfile.BadZipFile, expat.ExpatError, zlib.error),
    *(KeyError, EOFError, NotImplementedError, RuntimeError, ValueError, OSError),
)
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")

Place = tuple[int, int]
_Start = Callable[[str, dict[str, str]], None]


@dataclass(kw_only=True)
class OddCells:
    """Cells of a sheet, by row and column from 0, that the reader returns as empty."""

    errors: dict[Place, str] = field(default_factory=dict)
    uncomputed: list[Place] = field(default_factory=list)


def check_file(path: Path, shown: str) -> None:
    """Refuse a file that is too large.

    Raises:
        DataError: The file is larger than `MAX_FILE`.
    """
    if path.stat().st_size > MAX_FILE:
        raise _too_large(shown, f"has more than {MAX_FILE >> 20} MB")


def check_shape(rows: int, columns: int, shown: str) -> None:
    """Refuse a sheet that is too large.

    Raises:
        DataError: The sheet has more than `MAX_CELLS` cells.
    """
    if rows * columns > MAX_CELLS:
        raise _too_large(
            shown,
            f"has a sheet of {rows:,} rows and {columns:,} columns; allowed: {MAX_CELLS:,} cells",
        )


def check_archive(path: Path, shown: str) -> None:
    """Refuse an archive that is too large or damaged; sheets are only checked by `look_into`.

    Raises:
        DataError: The archive is damaged, or too large.
    """
    with _opened(path, shown) as archive:
        entries = [e for e in archive.infolist() if not e.filename.lower().startswith("xl/media/")]
        if sum(entry.file_size for entry in entries) > MAX_XML:
            raise _too_large(shown, f"has more than {MAX_XML >> 20} MB of uncompressed text")
        for entry in entries:
            if not entry.filename.lower().startswith("xl/worksheets/"):
                for _ in _chunks(archive, entry.filename):
                    pass  # a size that is larger than declared fails the checksum


def look_into(path: Path, sheet: int, shown: str) -> OddCells:
    """Return the odd cells of a sheet (counted from 0), after its size is found to be allowed.

    Raises:
        DataError: The sheet is damaged, or too large.
    """
    with _opened(path, shown) as archive:
        cells = _Cells(_text_lengths(archive), shown)
        _parse(archive, _sheet_path(archive, sheet), cells.start, cells.end, cells.text)
        return cells.found


@contextmanager
def _opened(path: Path, shown: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except _DAMAGES as error:
        problem = str(error).strip("\"'") or "it ends too early"
        raise DataError(
            f"`{shown}` is damaged: {problem[:200]}; open it in Excel and save it again"
        ) from None


def _too_large(shown: str, problem: str) -> DataError:
    return DataError(
        f"`{shown}` {problem}. Save the data as CSV or Parquet, or load it into a warehouse"
    )


def _sheet_path(archive: zipfile.ZipFile, sheet: int) -> str:
    ids: list[str] = []
    targets: dict[str, str] = {}

    def workbook(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "sheet":
            ids.append(next((v for k, v in attributes.items() if k.endswith(":id")), ""))

    def relations(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    _parse(archive, "xl/workbook.xml", workbook)
    _parse(archive, "xl/_rels/workbook.xml.rels", relations)
    if sheet >= len(ids) or ids[sheet] not in targets:
        raise KeyError("it does not say where the sheet is")
    target = targets[ids[sheet]]
    return target[1:] if target.startswith("/") else posixpath.normpath(f"xl/{target}")


def _text_lengths(archive: zipfile.ZipFile) -> list[int]:
    """Return the length of each shared text."""
    lengths: list[int] = []

    def start(name: str, _: dict[str, str]) -> None:
        if _local(name) == "si":
            lengths.append(0)

    def text(part: str) -> None:
        if lengths:
            lengths[-1] += len(part)

    if "xl/sharedStrings.xml" in archive.namelist():
        _parse(archive, "xl/sharedStrings.xml", start, text=text)
    return lengths


def _parse(
    archive: zipfile.ZipFile,
    member: str,
    start: _Start,
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    for chunk in _chunks(archive, member):
        parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _chunks(archive: zipfile.ZipFile, member: str) -> Iterator[bytes]:
    with archive.open(member) as file:  # reads at most the size that the archive declares
        while chunk := file.read(_CHUNK):
            yield chunk


def _local(name: str) -> str:
    return name.rpartition(":")[2]


class _Cells:
    """Counts the cells with a value, and keeps those that hold an error or no result."""

    def __init__(self, lengths: list[int], shown: str) -> None:
        self.found = OddCells()
        self._lengths, self._shown = lengths, shown
        self._row, self._column = -1, -1
        self._last: Place = (0, 0)
        self._size = 0
        self._kind, self._value, self._formula, self._inside = "", "", False, False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = _local(name)
        if tag == "row":
            number = attributes.get("r", "")
            self._row = int(number) - 1 if number.isdigit() else self._row + 1
            self._column = -1
        elif tag == "c":
            place = _PLACE.fullmatch(attributes.get("r", ""))
            self._column = _number(place[1]) if place else self._column + 1
            self._kind, self._value, self._formula = attributes.get("t", ""), "", False
        elif tag == "f":
            self._formula = True
        elif tag in ("v", "t"):
            self._inside = True

    def text(self, part: str) -> None:
        if self._inside:
            self._value += part

    def end(self, name: str) -> None:
        tag = _local(name)
        if tag in ("v", "t"):
            self._inside = False
        elif tag == "c":
            self._count((self._row, self._column))

    def _count(self, place: Place) -> None:
        if not self._value:
            if self._formula:
                self.found.uncomputed.append(place)
            return
        if self._kind == "e":
            self.found.errors[place] = self._value[:24]
        if self._kind == "s" and self._value.isdigit() and int(self._value) < len(self._lengths):
            self._size += self._lengths[int(self._value)]
        if self._size > MAX_TEXT:
            raise _too_large(self._shown, f"has more than {MAX_TEXT >> 20} MB of text in a sheet")
        self._last = (max(self._last[0], place[0]), max(self._last[1], place[1]))
        check_shape(self._last[0] + 1, self._last[1] + 1, self._shown)


def _number(letters: str) -> int:
    """Return a column's number from 0.

    >>> _number("AB")
    27
    """
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
