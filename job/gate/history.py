"""The data against that of the last accepted run: history must not change behind one's back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from job.gate.data import Data
from job.gate.verdict import Finding, Outcome, names

_SHOWN = 3


def profile(data: Data) -> dict[str, Any]:
    """Sums per column and quarter: enough to see restated history, too little to rebuild it."""
    return {
        "frequency": data.config.date.frequency.value,
        "last_date": data.dates[-1].isoformat(),
        "quarters": {
            column: {quarter: round(total, 6) for quarter, total in _totals(data, column).items()}
            for column in data.numeric
        },
    }


def changed_history(data: Data) -> Iterator[Finding]:
    """Quarters that both runs cover wholly, but with other sums."""
    then = (data.previous or {}).get("profile") or {}
    if not then or then.get("frequency") != data.config.date.frequency.value:
        return
    for column in data.numeric:
        before, now = then.get("quarters", {}).get(column), _totals(data, column)
        if before is None:
            continue
        changes: dict[str, float] = {}
        for quarter in sorted(set(before) & set(now)):
            scale = max(abs(before[quarter]), abs(now[quarter]))
            change = abs(now[quarter] - before[quarter]) / scale if scale else 0.0
            if change > data.gate.max_history_change:
                changes[quarter] = change
        if changes:
            worst = max(changes, key=lambda quarter: changes[quarter])
            yield Finding(
                name="changed_history",
                outcome=Outcome.WARN,
                figure=round(changes[worst], 4),
                threshold=data.gate.max_history_change,
                columns=(column,),
                dates=tuple(pd.Period(quarter).start_time.date() for quarter in changes),
                sentence=f"`{column}` changed in {names(changes, _SHOWN)} since the last accepted "
                f"run: {worst} was {before[worst]:,.6g} and is {now[worst]:,.6g}",
            )


def columns_changed(data: Data) -> Iterator[Finding]:
    """Columns that the last accepted run had or had not."""
    then = (data.previous or {}).get("profile") or {}
    if not then:
        return
    before, now = set(then.get("quarters", {})), set(data.numeric)
    if before != now:
        gone, new = sorted(before - now), sorted(now - before)
        parts = [f"without {names(gone)}"] * bool(gone) + [f"with {names(new)}"] * bool(new)
        yield Finding(
            name="columns_changed",
            outcome=Outcome.WARN,
            figure=len(gone) + len(new),
            threshold=0,
            columns=(*gone, *new),
            sentence=f"this run is {' and '.join(parts)}, other than the last accepted run",
        )


def _totals(data: Data, column: str) -> dict[str, float]:
    """Sums of the quarters that the data covers wholly."""
    index = pd.PeriodIndex(pd.DatetimeIndex(data.frame.index), freq="Q")
    totals = pd.Series(data.values(column), index=index).groupby(level=0).sum()
    whole = list(totals.index)[1:-1]  # the first and the last may be cut by the window
    return {str(quarter): float(totals[quarter]) for quarter in whole}


CHECKS = (changed_history, columns_changed)
