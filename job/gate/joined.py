"""Check for figures that a join repeated: one value in several rows, counted once per row."""

from __future__ import annotations

from collections.abc import Iterator

from job.gate.data import Data
from job.gate.verdict import Finding, Outcome
from job.gate.wording import name_list, quantity

_NEARLY_ALL = 0.9  # share of days with one value in all rows from which a figure is repeated
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


CHECKS = (repeated_values,)
