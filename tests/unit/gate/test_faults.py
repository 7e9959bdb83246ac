"""Tables with seeded faults: the gate reports exactly those faults, with columns and dates."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from contract.exceptions import DataError
from examples.changes import put, times
from examples.faults import FAULTS, Fault, check_fault, entry
from job.gate import CHECKS, Outcome, Verdict
from tests.unit.gate.conftest import named

GUIDE = (Path(__file__).parents[3] / "docs" / "data.md").read_text().splitlines()
Gate = Callable[..., Verdict]


def test_sound_data_passes(weekly: pd.DataFrame, gate: Gate) -> None:
    verdict = gate(weekly)
    assert named(verdict) == set()
    assert verdict.status is Outcome.PASS
    verdict.require()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.name}: {fault.description}")
def test_exactly_the_fault_is_named(fault: Fault, tmp_path: Path) -> None:
    verdict = check_fault(fault, tmp_path)
    assert named(verdict) == {fault.name}
    finding = verdict.problems()[0]
    assert finding.outcome is fault.outcome
    assert set(fault.columns) <= set(finding.columns)
    assert finding.sentence
    assert finding.figure is not None
    assert finding.threshold is not None
    assert verdict.to_dict()["verdict"] == fault.outcome
    assert entry(fault, finding) in GUIDE, "run `make docs`"


def test_every_check_has_an_example() -> None:
    no_example = {"exposure", "factors", "events_outside", "no_events", "same_events"}
    assert {check.__name__ for check in CHECKS} - no_example <= {fault.name for fault in FAULTS}


TOGETHER = [
    fault
    for fault in FAULTS
    if not fault.setup
    and fault.before is None
    and fault.name not in ("few_rows", "short_history", "nothing_happens", "week_start")
    # these change the dates and so the values of all columns
    and fault.description not in ("every row twice", "a daily table, one day without a row")
    and not fault.description.startswith(("rows dated on Mondays", "days first, of which Excel"))
    # these replace the rows or the values of several columns
    and not fault.description.startswith(("three rows in each", "weeks that begin at midnight"))
    and fault.name not in ("rate_as_spend", "average_as_spend", "tiny_spend")
]


def _apart(faults: tuple[Fault, ...]) -> bool:
    """Return whether the faults affect different columns, and at most one the dates.

    A day with two rows doubles a sum, so a constant target is not constant there.
    """
    columns = [column for fault in faults for column in fault.columns]
    names = {fault.name for fault in faults}
    sums = {"duplicate_dates", "constant"} <= names and "sales" in columns
    return len(set(columns)) == len(columns) and not sums


TRIPLES = [three for three in itertools.combinations(TOGETHER, 3) if _apart(three)]


@pytest.mark.parametrize("seed", range(14))
def test_three_faults_are_reported_and_nothing_else(
    weekly: pd.DataFrame, gate: Gate, seed: int
) -> None:
    three = TRIPLES[np.random.default_rng(seed).integers(len(TRIPLES))]
    # faults in the dates move rows, so they come last
    for fault in sorted(three, key=lambda fault: fault.columns == ("day",)):
        weekly = fault.change(weekly)
    verdict = gate(weekly)
    assert named(verdict) == {fault.name for fault in three}, [
        f.sentence for f in verdict.problems()
    ]
    for fault in three:
        found = {c for f in verdict.problems() if f.name == fault.name for c in f.columns}
        assert set(fault.columns) <= found


def test_all_blocking_findings_are_in_one_message(weekly: pd.DataFrame, gate: Gate) -> None:
    for change in (
        put("sales", 50, None),
        put("tv", 50, "n/a"),
        put("search", 9, -5.0),
        lambda f: f.drop(index=f.index[60:62]),
    ):
        weekly = change(weekly)
    verdict = gate(weekly)
    assert named(verdict) == {"missing_values", "not_numeric", "negative_values", "gaps"}
    with pytest.raises(DataError) as caught:
        verdict.require()
    assert caught.value.exit_code == 65
    assert len(str(caught.value).splitlines()) == 4


def test_missing_values_are_not_reported_as_changed_history(
    weekly: pd.DataFrame, gate: Gate
) -> None:
    before = gate(weekly).to_dict()
    holes = put("tv", slice(70, 73), "n/a")(weekly.drop(index=weekly.index[90:93]))
    assert named(gate(holes, previous=before)) == {"gaps", "not_numeric"}


def test_findings_name_their_dates(weekly: pd.DataFrame, gate: Gate) -> None:
    moved = weekly.assign(day=[d + pd.Timedelta(days=21) for d in weekly["day"]])
    assert date(2024, 1, 22) in gate(moved).problems()[0].dates
    shifted = times("search", slice(100, None), 1000)(weekly)
    assert gate(shifted).problems()[0].dates == (weekly["day"].iloc[100],)


def test_freshness_counts_rows_until_today_only(weekly: pd.DataFrame, gate: Gate) -> None:
    mistyped = pd.concat([weekly, weekly.iloc[[80]].assign(day=date(2203, 6, 6))])
    verdict = gate(mistyped, gate={"max_age_days": 8})
    assert named(verdict) == {"future_dates", "freshness"}


def test_a_check_that_did_not_run_says_so(weekly: pd.DataFrame, gate: Gate) -> None:
    findings = {f.name: f for f in gate(weekly).checks}
    for name in ("freshness", "changed_history", "columns_changed", "new_levels"):
        assert findings[name].sentence.startswith("not checked: ")
        assert findings[name].figure is None


def test_passed_checks_report_their_figures(weekly: pd.DataFrame, gate: Gate) -> None:
    findings = {f.name: f for f in gate(weekly, gate={"max_age_days": 20}).checks}
    assert (findings["freshness"].figure, findings["freshness"].threshold) == (9, 20)
    assert 1 < (findings["collinearity"].figure or 0) < (findings["collinearity"].threshold or 0)
    assert (findings["few_rows"].figure, findings["few_rows"].threshold) == (160, 40)
    assert (findings["gaps"].figure, findings["gaps"].threshold) == (0, 0)


def test_growth_is_not_a_level_shift(weekly: pd.DataFrame, gate: Gate) -> None:
    for factor in (1.3, 0.7, 1.9):
        assert named(gate(times("search", slice(90, None), factor)(weekly))) == set()


def test_campaign_rows_that_are_all_zero_are_not_duplicates(
    weekly: pd.DataFrame, gate: Gate
) -> None:
    amounts = ["sales", "tv", "grp", "search", "mail"]
    halves = [weekly.copy(), weekly.copy()]
    for half, share in zip(halves, (0.3, 0.7), strict=True):
        half[amounts] *= share
        half.loc[half.index[40:44], amounts] = 0.0
    verdict = gate(pd.concat(halves))
    assert "duplicate_dates" not in named(verdict)
