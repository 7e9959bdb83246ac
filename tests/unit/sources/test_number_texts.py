"""Numbers as people write them: Python and the SQL of every dialect read the same."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from sqlglot import exp

from contract.numbers import NumberFormat
from job.sources.sql import parse_number

# (text, format, number)
TEXTS: list[tuple[str, dict[str, Any], float | None]] = [
    ("1,234.50", {"thousands": ","}, 1234.5),
    (" 5,54,97,076.1 ", {"thousands": ","}, 55_497_076.1),
    ("1.234,50 €", {"decimal": ",", "thousands": ".", "symbols": ["€"]}, 1234.5),
    ("1\u00a0234,50", {"decimal": ",", "thousands": " "}, 1234.5),
    ("CHF 1'234.50", {"thousands": "'", "symbols": ["CHF"]}, 1234.5),
    ("($200.00)", {"symbols": ["$"], "parentheses": True}, -200.0),
    ("- 12.5%", {"symbols": ["%"]}, -12.5),
    ("-", {"thousands": ",", "zero": ["-"]}, 0.0),
    ("12,34", {"thousands": ","}, None),
    ("1,23,45", {"thousands": ","}, None),
    ("n/a", {"thousands": ","}, None),
]


def query(dialect: str) -> str:
    """Return the SQL that reads all texts, in order."""
    numbers = [
        exp.alias_(
            parse_number(exp.Literal.string(text), NumberFormat.model_validate(numbers)), f"n{i}"
        )
        for i, (text, numbers, _) in enumerate(TEXTS)
    ]
    return exp.select(*numbers).sql(dialect=dialect)


EXPECTED = [number for *_, number in TEXTS]


@pytest.mark.parametrize(("text", "numbers", "expected"), TEXTS)
def test_python(text: str, numbers: dict[str, Any], expected: float | None) -> None:
    assert NumberFormat.model_validate(numbers).read(text) == expected


def test_duckdb() -> None:
    with duckdb.connect() as connection:
        assert connection.execute(query("duckdb")).fetchall() == [tuple(EXPECTED)]
