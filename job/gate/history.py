"""The data against that of the last accepted run: history must not change behind one's back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from job.gate.data import Data
from job.gate.verdict import Finding, Outcome, names, passed
from job.sources.periods import missing_periods

_SHOWN = 3
_FIRST = "not checked: the market has no accepted run"


def profile(data: Data) -> dict[str, Any]:
    """Sums per column and quarter, and the levels of factors.

    Enough to see restated history, too little to rebuild it.
    """
    return {
        "frequency": data.config.date.frequency.value,
        "last_date": data.dates[-1].isoformat(),
        "quarters": {
            column: {quarter: round(total, 6) for quarter, total in _totals(data, column).items()}
            for column in data.numeric
        },
        "levels": {
            column: _levels(data, column)[: data.gate.max_levels] for column in data.config.factors
        },
    }


def changed_history(data: Data) -> Iterator[Finding]:
    """Quarters that both runs cover wholly have the same sums."""
    then = _then(data)
    if not then or then.get("frequency") != data.config.date.frequency.value:
        yield passed("changed_history", _FIRST if not then else "not checked: other frequency")
        return
    most = data.gate.max_history_change
    largest = 0.0
    for column in data.numeric:
        before, now = then.get("quarters", {}).get(column), _totals(data, column)
        if before is None:
            continue
        changes = {}
        faulty = _faulty(data, column)
        for quarter in sorted((set(before) & set(now)) - faulty):
            scale = max(abs(before[quarter]), abs(now[quarter]))
            changes[quarter] = abs(now[quarter] - before[quarter]) / scale if scale else 0.0
        largest = max(largest, *changes.values(), 0.0)
        changed = {quarter: change for quarter, change in changes.items() if change > most}
        if changed:
            worst = max(changed, key=lambda quarter: changed[quarter])
            yield Finding(
                name="changed_history",
                outcome=Outcome.WARN,
                figure=round(changed[worst], 4),
                threshold=most,
                columns=(column,),
                dates=tuple(pd.Period(quarter).start_time.date() for quarter in changed),
                sentence=f"`{column}` changed in {names(changed, _SHOWN)} since the last accepted "
                f"run: {worst} was {before[worst]:,.6g} and is {now[worst]:,.6g}",
            )
    if largest <= most:
        sentence = "the largest change of a quarter since the last accepted run"
        yield passed("changed_history", sentence, figure=largest, threshold=most)


def columns_changed(data: Data) -> Iterator[Finding]:
    """The columns are those of the last accepted run."""
    then = _then(data)
    if not then:
        yield passed("columns_changed", _FIRST)
        return
    before, now = set(then.get("quarters", {})), set(data.numeric)
    if "levels" in then:
        before, now = before | set(then["levels"]), now | set(data.config.factors)
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


def new_levels(data: Data) -> Iterator[Finding]:
    """Factors have the levels of the last accepted run."""
    then = _then(data)
    if "levels" not in then:
        yield passed("new_levels", _FIRST)
        return
    for column in data.config.factors:
        before = then["levels"].get(column)
        if before is None or len(before) >= data.gate.max_levels:
            continue
        new = [level for level in _levels(data, column) if level not in before]
        if new:
            values = data.frame[column].astype(str)
            yield Finding(
                name="new_levels",
                outcome=Outcome.WARN,
                figure=len(new),
                threshold=0,
                columns=(column,),
                dates=tuple(data.frame.index[values.isin(new)]),
                sentence=f"the factor `{column}` has {names(new, _SHOWN)}, which the last accepted "
                f"run did not know ({names(before, _SHOWN)}); is it written another way?",
            )


def _faulty(data: Data, column: str) -> set[str]:
    """Quarters in which rows or values are missing or double: their sums cannot be the same."""
    seen = data.evidence
    odd = {n.period for n in seen.notices if n.column == column and (n.missing or n.unreadable)}
    odd |= {*missing_periods(data.dates, data.config.date.frequency), *seen.thin}
    if seen.repeated_days < data.gate.usual_repeats * seen.days:
        odd |= {*seen.repeated_in}
    return {str(pd.Period(day, freq="Q")) for day in odd}


def _then(data: Data) -> dict[str, Any]:
    return (data.previous or {}).get("profile") or {}


def _levels(data: Data, column: str) -> list[str]:
    return sorted(data.frame[column].dropna().astype(str).unique())


def _totals(data: Data, column: str) -> dict[str, float]:
    """Sums of the quarters that the data covers wholly."""
    index = pd.PeriodIndex(pd.DatetimeIndex(data.frame.index), freq="Q")
    totals = pd.Series(data.values(column), index=index).groupby(level=0).sum()
    whole = list(totals.index)[1:-1]  # the first and the last may be cut by the window
    return {str(quarter): float(totals[quarter]) for quarter in whole}


CHECKS = (changed_history, columns_changed, new_levels)
