"""Check for figures that a join repeated: one value in several rows, counted once per row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from job.gate.data import Data
from job.gate.verdict import Finding, Outcome
from job.gate.wording import name_list, quantity

_NEARLY_ALL = 0.9  # share of days with one value in all rows from which a figure is repeated
_SEVERAL = 1.5  # copies of each value from which a figure is repeated
_FEWER = 0.75  # times as many copies as that of a column whose rows differ
_MIN_SIZE = 5  # times the rows of a day; smaller counts are equal by chance
_OFTEN = 0.6  # below this share, the rows of another column differ


def repeated_values(data: Data) -> Iterator[Finding]:
    """No summed figure is the same in all rows of a day while others differ."""
    evidence = data.evidence
    days = evidence.repeated_days
    if days < max(4, evidence.days * 0.05) or not evidence.repeated_values:
        return
    shares = {column: same / days for column, same in evidence.repeated_values.items()}
    money = [data.target, *data.roles["spend"]]
    differ = [column for column in money if shares.get(column, 1) < _OFTEN]
    for column, share in shares.items():
        others = [other for other in differ if other != column]
        if share < _NEARLY_ALL or not others:
            continue
        one_day = evidence.days == len(data.dates) + len(evidence.dropped)
        remedy = (
            f"set `aggregation: {{{column}: max}}`"
            if one_day
            else f"use a query that takes MAX of `{column}` per `{data.config.date.column}`"
        )
        yield Finding(
            name="repeated_values",
            outcome=Outcome.BLOCK,
            figure=round(share, 4),
            threshold=_NEARLY_ALL,
            columns=(column,),
            dates=evidence.repeated_in,
            sentence=f"`{column}` is the same in all rows of {quantity(round(share * days), 'day')}"
            f" of {days:,} with several rows, while {name_list(others, 3)} "
            f"{'differs' if len(others) == 1 else 'differ'}: a join repeated it, and its sum would "
            f"count it once per row. If its rows are copies, {remedy}",
        )
    yield from _within_groups(data, {c for c, share in shares.items() if share >= _NEARLY_ALL})


def _within_groups(data: Data, whole: set[str]) -> Iterator[Finding]:
    """Report figures whose values occur several times on a day, once per row of a group."""
    copies = {c: n for c, n in data.evidence.copies.items() if c not in whole}
    days = max(data.evidence.repeated_days, 1)
    rows = data.evidence.rows_read / max(data.evidence.days, 1)
    for column, number in copies.items():
        others = [c for c, other in copies.items() if c != column and other < _FEWER * number]
        size = float(np.nansum(np.abs(data.values(column)))) / max(data.evidence.rows_read, 1)
        if number < _SEVERAL or not others or size < _MIN_SIZE * rows:
            continue
        yield Finding(
            name="repeated_values",
            outcome=Outcome.BLOCK,
            figure=round(number, 2),
            threshold=_SEVERAL,
            columns=(column,),
            dates=data.evidence.repeated_in,
            sentence=f"each value of `{column}` occurs about {number:.3g} times on each of "
            f"{quantity(days, 'day')} with several rows, while {name_list(others, 3)} "
            f"{'differs' if len(others) == 1 else 'differ'}: a join repeated it in groups of rows, "
            f"such as regions, and its sum would count it once per row. Use a query that takes "
            f"MAX of `{column}` in each group of `{data.config.date.column}`, and then the SUM of "
            "the groups",
        )


CHECKS = (repeated_values,)
