"""Excel workbooks: each cell is read right, or the message names what is wrong."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from contract.exceptions import ConfigError, DataError
from contract.loading import load_config
from contract.stores import Store
from job.gate import Outcome, check
from job.sources import Snapshot, extract, workbook_limits
from job.sources.workbook import Workbook, convert_sheet
from tests.unit.sources.conftest import make_config

HEADER = ["day", "sales", "tv"]
DAYS = [date(2024, 1, 1) + timedelta(days=i) for i in range(20)]
ROWS: list[list[Any]] = [[day, 100.5 + i, i] for i, day in enumerate(DAYS)]
FIXTURES = Path(__file__).parent / "workbooks"


def write_book(
    path: Path,
    sheets: dict[str, Sequence[Sequence[Any]]],
    *,
    hidden: Sequence[str] = (),
    then: Callable[[xlsxwriter.Workbook], object] = lambda book: None,
) -> Path:
    """Write a workbook; dates get a date format."""
    book = xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        if name in hidden:
            sheet.hide()
    then(book)
    book.close()
    return path


def read(path: Path, sheet: str | None = None) -> tuple[pd.DataFrame, int]:
    """Return a sheet as a frame, and the number of its first row."""
    parquet, first_row = convert_sheet(path, sheet, shown=path.name, folder=path.parent / "made")
    return pq.read_table(parquet).to_pandas(), first_row


def refused(path: Path, sheet: str | None = None) -> str:
    """Return the message of the error."""
    with pytest.raises(DataError) as caught:
        read(path, sheet)
    return caught.value.message


def blocks(snapshot: Snapshot, path: str) -> str:
    """Return what the gate blocks."""
    found = check(snapshot, config_of(path), today=DAYS[-1]).findings(Outcome.BLOCK)
    return " ".join(one.sentence for one in found)


def config_of(path: str, **source: Any) -> Any:
    return make_config(
        {"type": "file", "path": path, **source},
        channels=[{"name": "tv", "spend": "tv"}], organic=[], context=[], factors=[],
    )  # fmt: skip


def test_a_sheet_gives_the_same_data_as_a_csv_file(tmp_path: Path) -> None:
    book = write_book(tmp_path / "t.xlsx", {"Data": [HEADER, *ROWS]})
    pd.DataFrame(ROWS, columns=HEADER).to_csv(tmp_path / "t.csv", index=False)
    made = [
        extract(config_of(str(path)), run_id="r", to=tmp_path / path.suffix[1:] / "s.parquet")
        for path in (book, tmp_path / "t.csv")
    ]
    assert made[0].rows == 20
    assert made[0].fingerprint == made[1].fingerprint


def test_a_workbook_in_a_bucket_is_read(bucket: str, gcs_store: Store, tmp_path: Path) -> None:
    book = write_book(tmp_path / "t.xlsx", {"Notes": [["hello"]], "Data": [HEADER, *ROWS]})
    gcs_store.write("in/t.xlsx", book.read_bytes())
    config = config_of(f"{bucket}/in/t.xlsx", sheet="Data")
    assert extract(config, run_id="r", to=tmp_path / "a" / "s.parquet").rows == 20


def test_a_workbook_of_excel_97_is_read() -> None:
    book = Workbook(FIXTURES / "old.xls", "old.xls")
    table = book.read(book.find("Data"))
    assert (table.names, table.rows, table.first_row) == (HEADER, 20, 4)
    assert table.columns[0][0] == date(2024, 1, 1)


def test_the_header_is_found_below_a_title_and_blank_rows(tmp_path: Path) -> None:
    rows = [
        ["Weekly report"],
        ["as of", "2024-02-01"],
        [],
        [None, *HEADER],
        *([None, *r] for r in ROWS),
    ]
    frame, first_row = read(write_book(tmp_path / "t.xlsx", {"Data": rows}))
    assert list(frame) == HEADER
    assert (first_row, len(frame)) == (5, 20)


def test_each_column_has_one_type(tmp_path: Path) -> None:
    rows = [
        ["day", "at", "flag", "count", "share", "mixed", "empty\nname ", None],
        [date(2024, 1, 1), datetime(2024, 1, 1, 5, 30), True, 3, 0.125, "-", None, "x"],
        [date(2024, 1, 2), datetime(2024, 1, 2), False, 4, 0.5, 1.234, None, None],
        [date(2024, 1, 3), datetime(2024, 1, 3), True, None, 1, 1234, None, None],
        [date(2024, 1, 4), datetime(2024, 1, 4), True, 5, 1, date(2024, 1, 5), None, None],
    ]  # fmt: skip
    frame, _ = read(write_book(tmp_path / "t.xlsx", {"Data": rows}))
    assert list(frame) == ["day", "at", "flag", "count", "share", "mixed", "empty name", "column_H"]
    assert frame["day"].tolist()[0] == date(2024, 1, 1)
    assert frame["at"].tolist()[0] == pd.Timestamp(2024, 1, 1, 5, 30)
    assert frame["flag"].tolist() == [True, False, True, True]
    assert frame["count"].iloc[[0, 1, 3]].tolist() == [3, 4, 5]
    assert frame["share"].tolist() == [0.125, 0.5, 1, 1]
    # 1.234 is not `1.234`, which `numbers: {thousands: "."}` would read as 1234
    assert frame["mixed"].tolist() == ["-", "1.2340", "1234", "2024-01-05"]


def test_currency_and_percent_cells_are_their_numbers(tmp_path: Path) -> None:
    def change(book: xlsxwriter.Workbook) -> None:
        sheet = book.worksheets()[0]
        sheet.write(1, 1, 1234.5, book.add_format({"num_format": "#,##0.00 [$€-407]"}))
        sheet.write(1, 2, 0.125, book.add_format({"num_format": "0.0%"}))

    frame, _ = read(write_book(tmp_path / "t.xlsx", {"Data": [HEADER, *ROWS]}, then=change))
    assert frame.loc[0, ["sales", "tv"]].tolist() == [1234.5, 0.125]


def test_the_results_of_formulas_are_read(tmp_path: Path) -> None:
    book = write_book(
        tmp_path / "t.xlsx",
        {"Data": [HEADER, *ROWS]},
        then=lambda book: book.worksheets()[0].write_formula("C2", "=1+1", None, 2),
    )
    assert read(book)[0]["tv"][0] == 2


def test_formulas_without_results_are_named(tmp_path: Path) -> None:
    book = write_book(
        tmp_path / "t.xlsx",
        {"Data": [HEADER, *ROWS]},
        then=lambda book: book.worksheets()[0].write_formula("C4", "=1+1", None, ""),
    )
    assert refused(book) == (
        "sheet `Data` of `t.xlsx`: 1 formulas have no result, the first in column `tv`, row 4; open "
        "the workbook in Excel and save it, so that it has the results"
    )


@pytest.mark.parametrize("error", ["#N/A", "#DIV/0!", "#REF!"])
def test_error_cells_are_named_by_the_gate_with_their_row(tmp_path: Path, error: str) -> None:
    book = write_book(
        tmp_path / "t.xlsx",
        {"Data": [["a title"], HEADER, *ROWS]},
        then=lambda book: book.worksheets()[0].write_formula("B7", "=1/0", None, error),
    )
    snapshot = extract(config_of(str(book)), run_id="r", to=tmp_path / "a" / "s.parquet")
    assert f"`{error}` in row 7" in blocks(snapshot, str(book))


def test_a_header_of_two_rows_gives_both_names(tmp_path: Path) -> None:
    lower = [None, "spend", "clicks", "spend", "clicks", "revenue"]
    rows = [[None] * 6, [None] * 6, lower, *([day, 1, 2, 3, 4, 5] for day in DAYS)]

    def change(book: xlsxwriter.Workbook) -> None:
        sheet = book.worksheets()[0]
        sheet.merge_range("A1:F1", "Report")
        sheet.merge_range("A2:A3", "day")
        sheet.merge_range("B2:C2", "TV")
        sheet.merge_range("D2:E2", "Search")

    frame, first_row = read(write_book(tmp_path / "t.xlsx", {"Data": rows}, then=change))
    assert list(frame) == [
        "day",
        "TV spend",
        "TV clicks",
        "Search spend",
        "Search clicks",
        "revenue",
    ]
    assert first_row == 4


def test_dates_in_merged_cells_are_repeated_and_numbers_refused(tmp_path: Path) -> None:
    def merge(place: str, value: Any) -> Callable[[xlsxwriter.Workbook], object]:
        return lambda book: book.worksheets()[0].merge_range(
            place, value, book.add_format({"num_format": "yyyy-mm-dd" if value != 400 else "0"})
        )

    path = tmp_path / "t.xlsx"
    frame, _ = read(write_book(path, {"Data": [HEADER, *ROWS]}, then=merge("A2:A4", DAYS[0])))
    assert frame["day"].tolist()[:4] == [DAYS[0]] * 3 + [DAYS[3]]
    text = refused(write_book(path, {"Data": [HEADER, *ROWS]}, then=merge("C2:C5", 400)))
    assert "`tv` has the number 400 in cells merged over rows 2 to 5; split them" in text


def test_the_first_visible_sheet_is_read_and_others_by_name(tmp_path: Path) -> None:
    sheets = {"Old": [["x"], [1]], "Data": [HEADER, *ROWS], "More": [["y"], [2]]}
    path = write_book(
        tmp_path / "t.xlsx", sheets, hidden=["Old"],
        then=lambda book: (book.add_chartsheet("Chart"), book.worksheets()[1].activate()),
    )  # fmt: skip
    assert list(read(path)[0]) == HEADER
    assert list(read(path, "Old")[0]) == ["x"]
    assert refused(path, "data") == (
        "`source.sheet` is `data`, but `t.xlsx` has no sheet of this name; its sheets: `Old`, "
        "`Data`, `More`. Did you mean `Data`?"
    )


def test_dates_that_excel_swapped_are_recognised(tmp_path: Path) -> None:
    written = [date(2024, 1, 1) + timedelta(days=3 * i) for i in range(20)]
    cells = [date(d.year, d.day, d.month) if d.day <= 12 else f"{d:%d/%m/%Y}" for d in written]
    path = write_book(tmp_path / "t.xlsx", {"Data": [HEADER, *([cell, 1, 2] for cell in cells)]})
    text = refused(path)
    assert "`day` has dates with day and month swapped: Excel could not read 12 of them" in text
    assert "e.g. `13/01/2024` in row 6" in text
    assert "day/month as the order" in text


def test_a_total_row_is_named_with_its_row(tmp_path: Path) -> None:
    path = write_book(tmp_path / "t.xlsx", {"Data": [HEADER, *ROWS, [], ["Total", 2200, 190]]})
    snapshot = extract(config_of(str(path)), run_id="r", to=tmp_path / "a" / "s.parquet")
    assert "`Total` in row 23" in blocks(snapshot, str(path))


def test_two_columns_with_one_name_are_refused(tmp_path: Path) -> None:
    path = write_book(tmp_path / "t.xlsx", {"Data": [[*HEADER, "TV"], *([*r, 1] for r in ROWS)]})
    with pytest.raises(DataError, match="has two columns named `tv`"):
        extract(config_of(str(path)), run_id="r", to=tmp_path / "a" / "s.parquet")


def test_files_that_are_no_workbook_are_named(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "protected.xlsx", tmp_path / "p.xlsx")
    assert refused(tmp_path / "p.xlsx") == (
        "`p.xlsx` is protected with a password; save it without one"
    )
    path = tmp_path / "t.xls"
    for content, text in (
        (b"", "it is empty"),
        (b"<html><table>", "is a web page or XML; open it in Excel and save it as .xlsx"),
        (b"day,tv\n1,2\n", "it is text; name it .csv"),
        (b"PK\x03\x04junk", "`t.xls` is damaged: File is not a zip file; open it in Excel"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "`t.xls` cannot be read"),
    ):
        path.write_bytes(content)
        assert text in refused(path)


def test_a_damaged_workbook_is_named_wherever_the_damage_is(tmp_path: Path) -> None:
    whole = write_book(tmp_path / "t.xlsx", {"Data": [HEADER, *ROWS]}).read_bytes()
    path = tmp_path / "d.xlsx"
    messages = []
    for place in range(0, len(whole), 211):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            read(path)
        except DataError as error:
            messages.append(error.message)
    assert messages
    assert all("d.xlsx" in message for message in messages)
    path.write_bytes(whole[: len(whole) // 2])
    assert "is damaged" in refused(path)


def _with_sheet(path: Path, xml: str, strings: str = "") -> Path:
    """Replace the XML of the first sheet, and of the shared texts."""
    whole = write_book(path.with_name("whole.xlsx"), {"Data": [["a"], [1]]})
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                content = xml.encode()
            elif entry.filename == "xl/sharedStrings.xml" and strings:
                content = strings.encode()
            made.writestr(entry.filename, content)
    return path


def test_a_far_cell_does_not_eat_the_memory(tmp_path: Path) -> None:
    far = '<c r="XFD1048576"><v>1</v></c>'
    xml = f'<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576">{far}</row></sheetData></worksheet>'
    text = refused(_with_sheet(tmp_path / "t.xlsx", xml))
    assert "has a sheet of 1,048,576 rows and 16,384 columns; allowed: 3,000,000 cells" in text
    styled = xml.replace(far, '<c r="XFD1048576" s="1"/>')
    assert read(_with_sheet(tmp_path / "t.xlsx", styled))[0].empty


def test_a_text_in_many_cells_does_not_eat_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook_limits, "MAX_TEXT", 1_000_000)
    cells = "".join(f'<row r="{r}"><c r="A{r}" t="s"><v>0</v></c></row>' for r in range(1, 200))
    xml = f"<worksheet><sheetData>{cells}</sheetData></worksheet>"
    strings = f"<sst><si><t>{'x' * 30_000}</t></si></sst>"
    assert "MB of text in a sheet" in refused(_with_sheet(tmp_path / "t.xlsx", xml, strings))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook_limits, "MAX_XML", 5 << 20)
    path = write_book(tmp_path / "t.xlsx", {"Data": [HEADER, *ROWS]})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/bomb.xml", bytes(6 << 20))
    assert "has more than 5 MB of uncompressed text" in refused(path)


def test_a_sheet_belongs_to_a_workbook() -> None:
    with pytest.raises(ConfigError, match=re.escape("`source.sheet` is `Data`; allowed: a sheet")):
        load_config({"version": 1, "market": "DE", "revision": "r", "source": {"type": "file", "path": "a.csv", "sheet": "Data"},
                     "date": {"column": "d", "frequency": "day"}, "target": {"column": "s"}, "channels": [{"name": "tv", "spend": "tv"}]})  # fmt: skip
