"""Findings show the values and their rows, with a remedy that fits the cause."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from examples.healthy import check_frame, healthy_table


def test_missing_and_negative_values_are_shown_with_their_rows(tmp_path: Path) -> None:
    frame = healthy_table().astype({"tv": object, "search": object, "mail": object})
    frame.loc[20, "tv"], frame.loc[30, "tv"] = "#N/A", "#N/A"
    frame.loc[40, "search"] = "(200.00)"
    frame.loc[[3, 50], "mail"] = [None, " "]
    verdict = check_frame(
        frame,
        tmp_path,
        numbers={"missing": ["#N/A"], "parentheses": True},
        date={"column": "day", "frequency": "week", "start": "2021-06-07"},
    )
    sentences = {finding.columns[0]: finding.sentence for finding in verdict.problems()}
    assert "`#N/A` in row 32" in sentences["tv"]
    assert 'set `numbers.zero: ["#N/A"]` if this means zero' in sentences["tv"]
    assert "`(200.00)` in row 42; subtract a refund" in sentences["search"]
    assert "an empty cell in row 52" in sentences["mail"]
    assert "row 5," not in sentences["mail"]  # it is before `date.start`
    assert "write 0 where there was none" in sentences["mail"]


def test_few_rows_are_explained_by_the_window_or_the_data(tmp_path: Path) -> None:
    short = check_frame(healthy_table().tail(30), tmp_path).problems()[0].sentence
    assert "load a longer history, or a finer `date.frequency` (day)" in short
    when = {"column": "day", "frequency": "week", "window_start": "2023-08-07"}
    narrow = check_frame(healthy_table(), tmp_path, date=when).problems()[0].sentence
    assert "the data has 160 weeks, so widen the window" in narrow


def test_a_column_that_mixes_forms_of_numbers_is_not_read_in_another_way(tmp_path: Path) -> None:
    frame = healthy_table().astype({"tv": object})
    frame.loc[[20, 21], "tv"] = ["623,91", "700,5"]
    (finding,) = check_frame(frame, tmp_path).problems()
    assert "if all its values are written so, or else write these as 1234.56" in finding.sentence


def test_a_row_without_a_date_is_to_be_removed(tmp_path: Path) -> None:
    frame = healthy_table().astype({"day": object})
    note = frame.iloc[[0]].assign(day="Source: CRM")
    (finding,) = check_frame(pd.concat([frame, note]), tmp_path).problems()
    assert "`Source: CRM` in row 162" in finding.sentence
    assert "Remove the rows that are no data" in finding.sentence
