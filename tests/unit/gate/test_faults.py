"""A table with one seeded fault: exactly that fault is named, with its column and date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest

from contract.exceptions import DataError
from job.gate import Outcome, Verdict
from tests.unit.gate.conftest import named

Gate = Callable[..., Verdict]
Break = Callable[[pd.DataFrame], pd.DataFrame]


def put(column: str, rows: slice | int, value: object) -> Break:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.astype({column: object})
        frame.loc[frame.index[rows], column] = value
        return frame

    return change


def times(column: str, rows: slice, factor: float) -> Break:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame.index[rows], column] *= factor
        return frame

    return change


ALL = slice(None)
FAULTS: dict[str, tuple[Break, str, Outcome, str | None]] = {
    "a missing target": (put("sales", 50, None), "missing_values", Outcome.BLOCK, "sales"),
    "a text": (put("tv", 50, "n/a"), "not_numeric", Outcome.BLOCK, "tv"),
    "a negative spend": (put("search", 9, -5.0), "negative_values", Outcome.BLOCK, "search"),
    "a date as text": (put("day", 30, "soon"), "unreadable_dates", Outcome.BLOCK, "day"),
    "a gap": (lambda f: f.drop(index=f.index[60:62]), "gaps", Outcome.BLOCK, "day"),
    "a row twice": (
        lambda f: pd.concat([f, f.iloc[[70]]]),
        "duplicate_dates",
        Outcome.BLOCK,
        "day",
    ),
    "two rows of a date": (
        lambda f: pd.concat([f, f.iloc[[70]].assign(tv=1.0)]),
        "duplicate_dates",
        Outcome.WARN,
        "day",
    ),
    "a constant context": (put("price", ALL, 3.0), "constant", Outcome.BLOCK, "price"),
    "a constant factor": (put("event", ALL, "none"), "constant", Outcome.BLOCK, "event"),
    "an empty channel": (put("search", ALL, 0.0), "all_zero", Outcome.BLOCK, "search"),
    "a constant target": (put("sales", ALL, 7.0), "constant", Outcome.BLOCK, "sales"),
    "a late target": (put("sales", slice(-2, None), 0.0), "target_end", Outcome.BLOCK, "sales"),
    "a broken feed": (
        put("search", slice(-5, None), 0.0),
        "channel_stopped",
        Outcome.WARN,
        "search",
    ),
    "a rare channel": (put("search", slice(4, None), 0.0), "nearly_empty", Outcome.WARN, "search"),
    "a wrong digit": (times("search", slice(80, 81), 1000), "outliers", Outcome.WARN, "search"),
    "another unit": (times("search", slice(100, None), 10), "level_shift", Outcome.WARN, "search"),
    "no exposure": (put("grp", slice(60, 90), 0.0), "spend_without_exposure", Outcome.WARN, "grp"),
    "no spend": (put("tv", slice(60, 90), 0.0), "exposure_without_spend", Outcome.WARN, "tv"),
    "the same column": (
        lambda f: f.assign(mail=f["search"] * 3),
        "collinearity",
        Outcome.BLOCK,
        "mail",
    ),
    "nearly the same": (
        lambda f: f.assign(mail=f["search"] + np.random.default_rng(1).normal(0, 20, len(f))),
        "collinearity",
        Outcome.WARN,
        "mail",
    ),
    "minus signs": (lambda f: f.assign(price=-f["price"]), "all_negative", Outcome.WARN, "price"),
    "few rows": (lambda f: f.tail(36), "few_rows", Outcome.BLOCK, None),
    "Sundays": (
        lambda f: f.assign(day=[d - pd.Timedelta(days=1) for d in f["day"]]),
        "week_start",
        Outcome.WARN,
        "day",
    ),
}
# what a fault brings with it by necessity
ALSO = {
    "few rows": {"short_history", "rows_per_driver"},
    "a rare channel": {"channel_stopped"},
    "a date as text": {"gaps"},
}


def test_sound_data_passes(weekly: pd.DataFrame, gate: Gate) -> None:
    verdict = gate(weekly)
    assert named(verdict) == set()
    assert verdict.status is Outcome.PASS
    verdict.require()


@pytest.mark.parametrize("fault", FAULTS)
def test_exactly_the_fault_is_named(weekly: pd.DataFrame, gate: Gate, fault: str) -> None:
    broken, check, outcome, column = FAULTS[fault]
    verdict = gate(broken(weekly))
    found = named(verdict)
    assert check in found
    assert found - {check} <= ALSO.get(fault, set())
    (finding,) = [f for f in verdict.worst() if f.name == check]
    assert finding.outcome is outcome
    assert finding.sentence
    if column:
        assert column in finding.columns


def test_several_faults_are_all_named(weekly: pd.DataFrame, gate: Gate) -> None:
    for fault in ("a missing target", "a text", "a negative spend", "a gap"):
        weekly = FAULTS[fault][0](weekly)
    verdict = gate(weekly)
    assert named(verdict) == {"missing_values", "not_numeric", "negative_values", "gaps"}
    with pytest.raises(DataError) as caught:
        verdict.require()
    assert caught.value.exit_code == 65
    assert len(str(caught.value).splitlines()) == 4


def test_freshness_against_an_age_and_an_end(weekly: pd.DataFrame, gate: Gate) -> None:
    assert named(gate(weekly, gate={"max_age_days": 9})) == set()
    late = gate(weekly, gate={"max_age_days": 8})
    assert named(late) == {"freshness"}
    assert "the newest row is of 2024-01-01" in late.worst()[0].sentence
    when = {"column": "day", "frequency": "week", "end": "2024-01-09"}
    assert named(gate(weekly, date=when)) == {"freshness"}


def test_future_rows(weekly: pd.DataFrame, gate: Gate) -> None:
    moved = weekly.assign(day=[d + pd.Timedelta(days=21) for d in weekly["day"]])
    verdict = gate(moved)
    assert named(verdict) == {"future_dates"}
    assert date(2024, 1, 22) in verdict.worst()[0].dates


def test_an_idle_market_is_skipped(weekly: pd.DataFrame, gate: Gate) -> None:
    verdict = gate(weekly.assign(sales=0, tv=0, search=0))
    assert verdict.status is Outcome.SKIP


def test_gaps_are_filled_if_configured(weekly: pd.DataFrame, gate: Gate) -> None:
    holes = weekly.drop(index=weekly.index[60:62])
    verdict = gate(holes, date={"column": "day", "frequency": "week", "fill": "zero"})
    assert verdict.rows == len(weekly)
    assert {f.name: f.outcome for f in verdict.worst()} == {"gaps": Outcome.WARN}


def test_restated_history(weekly: pd.DataFrame, gate: Gate) -> None:
    before = gate(weekly).to_dict()
    assert named(gate(weekly, previous=before)) == set()
    restated = times("search", slice(90, 103), 1.5)(weekly)
    verdict = gate(restated, previous=before)
    assert named(verdict) == {"changed_history"}
    assert verdict.worst()[0].columns == ("search",)
