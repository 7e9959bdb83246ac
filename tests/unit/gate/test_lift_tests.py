"""Lift tests against the data: the dates that the model has, and the channels' spend."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
import pytest

from job.gate import Outcome, Verdict
from tests.unit.gate.conftest import named

Gate = Callable[..., Verdict]
WEEKLY = {"column": "day", "frequency": "week"}


def lift_test(**changes: Any) -> dict[str, Any]:
    """Return a config's `calibration` with one lift test of five weeks, without a fault."""
    test = {"channel": "search", "start": "2023-05-01", "end": "2023-06-04", "lift": 900}
    return {"calibration": [test | {"spend": 3200} | changes]}


def test_a_lift_test_within_the_data_passes(weekly: pd.DataFrame, gate: Gate) -> None:
    verdict = gate(weekly, **lift_test())
    assert named(verdict) == set()
    assert verdict.status is Outcome.PASS


@pytest.mark.parametrize(
    ("changes", "when", "said"),
    [
        ({"start": "2020-12-13"}, {}, "`calibration[0].start` is 2020-12-13; allowed: from 2020-12-14"),
        ({"end": "2024-01-02"}, {}, "`calibration[0].end` is 2024-01-02; allowed: up to 2024-01-01"),
        # The window's start is between two periods: the model begins with the nearer one.
        ({}, {"window_start": "2023-05-05"}, "is 2023-05-01; allowed: from 2023-05-08"),
        # The window ends later than the data.
        ({"end": "2024-01-09"}, {"window_end": "2024-03-01"}, "allowed: up to 2024-01-07"),
    ],
)  # fmt: skip
def test_a_lift_test_outside_the_modelled_dates_blocks(
    weekly: pd.DataFrame, gate: Gate, changes: dict[str, Any], when: dict[str, Any], said: str
) -> None:
    verdict = gate(weekly, **lift_test(**changes), date=WEEKLY | when)
    found = [
        f
        for f in verdict.checks
        if f.name.startswith("lift_test") and f.outcome is not Outcome.PASS
    ]
    assert [f.outcome for f in found] == [Outcome.BLOCK]
    assert said in found[0].sentence


@pytest.mark.parametrize(
    ("changes", "when"),
    [
        ({"start": "2020-12-14", "spend": 82_000}, {}),
        ({"end": "2024-01-01", "spend": 22_000}, {}),
        ({"end": "2024-01-07", "spend": 22_400}, {"window_end": "2024-01-07"}),
        ({}, {"window_start": "2023-05-03"}),
    ],
)
def test_the_edges_of_the_modelled_dates_are_within(
    weekly: pd.DataFrame, gate: Gate, changes: dict[str, Any], when: dict[str, Any]
) -> None:
    verdict = gate(weekly, **lift_test(**changes), date=WEEKLY | when)
    assert "lift_test_dates" not in named(verdict)


@pytest.mark.parametrize(
    ("start", "end", "blocks"),
    [
        ("2023-05-08", "2023-05-14", True),
        ("2023-05-08", "2023-05-15", False),
        ("2023-05-09", "2023-05-14", True),  # only the period in which it starts
        ("2023-05-09", "2023-05-15", False),  # that one and the next
    ],
)
def test_a_lift_test_needs_two_periods(
    weekly: pd.DataFrame, gate: Gate, start: str, end: str, blocks: bool
) -> None:
    verdict = gate(weekly, **lift_test(start=start, end=end, spend=600))
    assert ("lift_test_dates" in named(verdict)) is blocks


@pytest.mark.parametrize(
    ("changes", "warns"),
    [
        ({"spend": 3500}, False),
        ({"spend": 3530}, True),
        ({"spend": 2890}, False),
        ({"spend": 2870}, True),
        ({"spend": 0}, True),
        ({"channel": "mail", "spend": 0}, False),
        ({"channel": "search+mail", "spend": 0}, False),
        ({"channel": "tv+search", "spend": 3200}, True),
    ],
)
def test_a_spend_that_differs_by_more_than_a_tenth_warns(
    weekly: pd.DataFrame, gate: Gate, changes: dict[str, Any], warns: bool
) -> None:
    verdict = gate(weekly, **lift_test(**changes))
    assert named(verdict) == ({"lift_test_spend"} if warns else set())


def test_weeks_that_a_lift_test_only_touches_can_have_any_part_of_their_spend(
    weekly: pd.DataFrame, gate: Gate
) -> None:
    day, search = weekly["day"], weekly["search"]

    def spend_of(first: date, last: date) -> float:
        return float(search[(day >= first) & (day <= last)].sum())

    within = spend_of(date(2023, 5, 8), date(2023, 5, 28))
    touched = spend_of(date(2023, 5, 1), date(2023, 5, 29))
    for spend, warns in ((within * 0.92, False), (touched * 1.08, False), (touched * 1.2, True)):
        verdict = gate(weekly, **lift_test(start="2023-05-04", end="2023-05-31", spend=spend))
        assert ("lift_test_spend" in named(verdict)) is warns


def test_an_empty_window_is_reported_once(weekly: pd.DataFrame, gate: Gate) -> None:
    when = {"window_start": "2030-01-07"}
    verdict = gate(weekly, **lift_test(start="2030-02-01", end="2030-03-01"), date=WEEKLY | when)
    assert "window" in named(verdict)
    assert not {name for name in named(verdict) if name.startswith("lift_test")}
