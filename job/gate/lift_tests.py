"""Checks of the config's lift tests against the dates and the spend in the data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np

from contract.calibration import Calibration, outside
from job.gate.data import Data
from job.gate.verdict import Finding, Outcome
from job.gate.wording import name_list
from job.sources.annotations import last_day

_SPEND_TOLERANCE = 0.1  # as in Robyn's check_calibration()
_MIN_PERIODS = 2  # Robyn's error is relative to the time from the first period to the last


def lift_test_dates(data: Data) -> Iterator[Finding]:
    """Every lift test is within the modelled dates and covers at least two periods."""
    tests = data.config.calibration
    if not data.in_window.any():
        return  # `window` reports it
    for fault in outside(tests, *modelled_dates(data)):
        index, field = fault.at
        day = getattr(tests[int(index)], str(field))
        sentence = f"`calibration[{index}].{field}` {fault.problem}"
        yield _dates_finding(data, sentence, (day,), figure=0, threshold=len(data.dates))
    for index, test in _inside(data):
        number = len(_periods(data, test))
        if number < _MIN_PERIODS:
            sentence = (
                f"`calibration[{index}]` runs from {test.start} to {test.end}, within one "
                f"{data.period}; a lift test must cover at least two {data.period}s"
            )
            days = (test.start, test.end)
            yield _dates_finding(data, sentence, days, figure=number, threshold=_MIN_PERIODS)


def lift_test_spend(data: Data) -> Iterator[Finding]:
    """The spend of each lift test matches the spend in the data."""
    spends = {channel.name: channel.spend for channel in data.config.channels}
    for index, test in _inside(data):
        columns = [spends[name] for name in test.channels if name in spends]
        if len(columns) < len(test.channels) or len(_periods(data, test)) < _MIN_PERIODS:
            continue  # organic media have no spend; `lift_test_dates` reports short tests
        lowest, highest = _spend_range(data, test, columns)
        if lowest * (1 - _SPEND_TOLERANCE) <= test.spend <= highest * (1 + _SPEND_TOLERANCE):
            continue
        yield Finding(
            name="lift_test_spend",
            outcome=Outcome.WARN,
            figure=test.spend,
            threshold=round(highest, 4),
            columns=tuple(columns),
            dates=(test.start, test.end),
            sentence=f"`calibration[{index}].spend` is {_amount(test.spend)}, but the spend in "
            f"{name_list(columns)} from {test.start} to {test.end} is {_amount(highest)}; correct "
            "the test's spend, dates or channel",
        )


def _amount(number: float) -> str:
    return f"{number:,.2f}".rstrip("0").rstrip(".")


def _inside(data: Data) -> Iterator[tuple[int, Calibration]]:
    """Yield (index, lift test) for the tests within the modelled dates."""
    first, last = modelled_dates(data)
    for index, test in enumerate(data.config.calibration):
        if first <= test.start and test.end <= last:
            yield index, test


def modelled_dates(data: Data) -> tuple[date, date]:
    """Return the first and the last date of the model, by Robyn's rules.

    If the window starts between two periods, the model starts with the nearer one. Without an end
    of the window, the last date is the first day of the last period.
    """
    when, first, last = data.config.date, data.dates[0], data.dates[-1]
    start = max(when.window_start or first, first)
    start = min(data.dates, key=lambda day: abs(day - start))
    end = min(when.window_end or last, last_day(last, when.frequency))
    return start, end


def _periods(data: Data, test: Calibration) -> list[int]:
    """Return the rows of the periods that Robyn compares with a test."""
    rows = [row for row, day in enumerate(data.dates) if test.start <= day <= test.end]
    if test.start not in data.dates:
        rows = [min([*rows, len(data.dates)]) - 1, *rows]
    return rows


def _spend_range(data: Data, test: Calibration, columns: list[str]) -> tuple[float, float]:
    """Return the spend in the periods within a test, and in all periods that it overlaps."""
    frequency = data.config.date.frequency
    ends = [last_day(day, frequency) for day in data.dates]
    spans = list(zip(data.dates, ends, strict=True))
    within = np.array([test.start <= day and end <= test.end for day, end in spans])
    overlapping = np.array([day <= test.end and test.start <= end for day, end in spans])
    spend = np.nansum([data.values(column) for column in columns], axis=0)
    return float(spend[within].sum()), float(spend[overlapping].sum())


def _dates_finding(
    data: Data, sentence: str, days: tuple[date, ...], *, figure: float, threshold: float
) -> Finding:
    return Finding(
        name="lift_test_dates",
        outcome=Outcome.BLOCK,
        figure=figure,
        threshold=threshold,
        columns=(data.config.date.column,),
        dates=days,
        sentence=sentence,
    )


CHECKS = (lift_test_dates, lift_test_spend)
