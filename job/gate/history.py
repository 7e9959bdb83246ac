"""Checks against the last accepted run: past values, columns and levels must not change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from job.gate.data import Data
from job.gate.verdict import Finding, Outcome, passed
from job.gate.wording import name_list
from job.sources.periods import missing_periods

_MAX_LISTED = 3
_NO_PREVIOUS_RUN = "not checked: the market has no accepted run"


def profile(data: Data) -> dict[str, Any]:
    """Return sums per column and quarter, and the levels of factors.

    The next run needs this to detect restated history. It is too little to rebuild the data.
    """
    return {
        "frequency": data.config.date.frequency.value,
        "last_date": data.dates[-1].isoformat(),
        "quarters": {
            column: {
                quarter: round(total, 6) for quarter, total in _quarter_totals(data, column).items()
            }
            for column in data.numeric
        },
        "levels": {
            column: _levels(data, column)[: data.gate.max_levels] for column in data.config.factors
        },
    }


def changed_history(data: Data) -> Iterator[Finding]:
    """Past quarters have the same sums as in the last accepted run."""
    previous = _previous_profile(data)
    if not previous:
        yield passed("changed_history", _NO_PREVIOUS_RUN)
        return
    if previous.get("frequency") != data.config.date.frequency.value:
        sentence = "not checked: the last accepted run has another frequency"
        yield passed("changed_history", sentence)
        return
    max_change = data.gate.max_history_change
    largest = 0.0
    for column in data.numeric:
        before, now = previous.get("quarters", {}).get(column), _quarter_totals(data, column)
        if before is None:
            continue
        changes = {}
        faulty = _faulty_quarters(data, column)
        for quarter in sorted((set(before) & set(now)) - faulty):
            scale = max(abs(before[quarter]), abs(now[quarter]))
            changes[quarter] = abs(now[quarter] - before[quarter]) / scale if scale else 0.0
        largest = max(largest, *changes.values(), 0.0)
        changed = {quarter: change for quarter, change in changes.items() if change > max_change}
        if changed:
            worst = max(changed, key=lambda quarter: changed[quarter])
            yield Finding(
                name="changed_history",
                outcome=Outcome.WARN,
                figure=round(changed[worst], 4),
                threshold=max_change,
                columns=(column,),
                dates=tuple(pd.Period(quarter).start_time.date() for quarter in changed),
                sentence=f"`{column}` changed in {name_list(changed, _MAX_LISTED)} since the last "
                f"accepted run: the sum of {worst} was {before[worst]:,.6g} and is now "
                f"{now[worst]:,.6g}",
            )
    if largest <= max_change:
        sentence = "the largest change in a quarter since the last accepted run"
        yield passed("changed_history", sentence, figure=largest, threshold=max_change)


def columns_changed(data: Data) -> Iterator[Finding]:
    """The columns are the same as in the last accepted run."""
    previous = _previous_profile(data)
    if not previous:
        yield passed("columns_changed", _NO_PREVIOUS_RUN)
        return
    before, now = set(previous.get("quarters", {})), set(data.numeric)
    if "levels" in previous:
        before, now = before | set(previous["levels"]), now | set(data.config.factors)
    if before != now:
        removed, added = sorted(before - now), sorted(now - before)
        changes = [f"{name_list(added)} added"] * bool(added)
        changes += [f"{name_list(removed)} removed"] * bool(removed)
        yield Finding(
            name="columns_changed",
            outcome=Outcome.WARN,
            figure=len(removed) + len(added),
            threshold=0,
            columns=(*removed, *added),
            sentence=f"columns changed since the last accepted run: {'; '.join(changes)}",
        )


def new_levels(data: Data) -> Iterator[Finding]:
    """Factors have no levels that the last accepted run did not have."""
    previous = _previous_profile(data)
    if "levels" not in previous:
        yield passed("new_levels", _NO_PREVIOUS_RUN)
        return
    for column in data.config.factors:
        before = previous["levels"].get(column)
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
                sentence=f"the factor `{column}` has levels that the last accepted run did not "
                f"have: {name_list(new, _MAX_LISTED)} (it had {name_list(before, _MAX_LISTED)}); "
                "check the spelling",
            )


def _faulty_quarters(data: Data, column: str) -> set[str]:
    """Return quarters with missing or duplicated rows or values, whose sums differ anyway."""
    evidence = data.evidence
    faulty = {
        notice.period
        for notice in evidence.notices
        if notice.column == column and (notice.missing or notice.unreadable)
    }
    faulty |= {*missing_periods(data.dates, data.config.date.frequency), *evidence.thin}
    if evidence.repeated_days < data.gate.usual_repeats * evidence.days:
        faulty |= {*evidence.repeated_in}
    return {str(pd.Period(day, freq="Q")) for day in faulty}


def _previous_profile(data: Data) -> dict[str, Any]:
    """Return the profile of the last accepted run; empty if there is none."""
    return (data.previous or {}).get("profile") or {}


def _levels(data: Data, column: str) -> list[str]:
    return sorted(data.frame[column].dropna().astype(str).unique())


def _quarter_totals(data: Data, column: str) -> dict[str, float]:
    """Return the column's sum for each quarter that the data covers completely."""
    index = pd.PeriodIndex(pd.DatetimeIndex(data.frame.index), freq="Q")
    totals = pd.Series(data.values(column), index=index).groupby(level=0).sum()
    complete = list(totals.index)[1:-1]  # the date window may cut the first and the last
    return {str(quarter): float(totals[quarter]) for quarter in complete}


CHECKS = (changed_history, columns_changed, new_levels)
