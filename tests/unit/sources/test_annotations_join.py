"""Dated events in the snapshot: the periods they touch, what the file stores, the gate's checks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.config import Frequency
from contract.loading import load_config
from job.gate import Outcome, Verdict, check
from job.sources import Snapshot, extract
from job.sources.annotations import DatedEvent, touches
from job.sources.periods import calendar

TODAY = date(2024, 1, 10)
DAYS = st.dates(date(2020, 1, 1), date(2024, 12, 31))


@given(first=DAYS, length=st.integers(0, 90), frequency=st.sampled_from(Frequency))
def test_a_period_is_touched_by_one_day(first: date, length: int, frequency: Frequency) -> None:
    periods = calendar(date(2019, 12, 30), date(2025, 3, 1), frequency)
    event = DatedEvent(name="A", first=first, last=first + timedelta(days=length))
    days = [first + timedelta(days=i) for i in range(length + 1)]
    position = np.searchsorted(np.array(periods), np.array(days), side="right") - 1
    touched = {periods[i] for i in position}
    marks = touches(event, periods, frequency)
    assert {period for period, mark in zip(periods, marks, strict=True) if mark} == touched


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., tuple[Snapshot, Verdict]]:
    """Extract 160 sound weeks with events as CSV text; returns snapshot and verdict."""
    random = np.random.default_rng(3)
    n = 160
    tv = random.gamma(4, 250, n)
    frame = pd.DataFrame(
        {
            "day": pd.date_range(end="2024-01-01", periods=n, freq="7D").date,
            "sales": 10_000 + 800 * np.sin(np.arange(n) / 8) + random.normal(0, 300, n) + tv,
            "tv": tv,
            "price": random.normal(20, 1, n),
        }
    )
    frame.to_csv(tmp_path / "table.csv", index=False)
    number = iter(range(100))

    def make(events: str | None, **over: Any) -> tuple[Snapshot, Verdict]:
        (tmp_path / "events.csv").write_text(events or "")
        document: dict[str, Any] = {
            "version": 1,
            "market": "DE",
            "revision": "r1",
            "source": {"type": "file", "path": str(tmp_path / "table.csv")},
            "date": {"column": "day", "frequency": "week"},
            "target": {"column": "sales"},
            "channels": [{"name": "tv", "spend": "tv"}],
            "context": ["price"],
            "annotations": str(tmp_path / "events.csv") if events else None,
            **over,
        }
        config = load_config(document).config
        snapshot = extract(config, run_id="t", to=tmp_path / f"{next(number)}.parquet")
        return snapshot, check(snapshot, config, today=TODAY)

    return make


Made = Callable[..., tuple[Snapshot, Verdict]]


def found(verdict: Verdict) -> list[tuple[str, Outcome, tuple[str, ...]]]:
    return [(finding.name, finding.outcome, finding.columns) for finding in verdict.problems()]


def test_events_are_factors_of_the_snapshot(made: Made) -> None:
    snapshot, verdict = made(
        "from,to,name\n2023-03-08,2023-03-21,Black Friday\n2023-07-02,2023-07-02,Closed\n"
    )
    assert snapshot.columns == ("day", "sales", "tv", "price", "Black_Friday", "Closed")
    frame = pq.read_table(snapshot.path).to_pandas().set_index("day")
    weeks = frame.index[frame["Black_Friday"] == "yes"]
    assert [str(day) for day in weeks] == ["2023-03-06", "2023-03-13", "2023-03-20"]
    assert [str(day) for day in frame.index[frame["Closed"] == "yes"]] == ["2023-06-26"]
    assert set(frame["Closed"]) == {"yes", "no"}
    assert found(verdict) == []

    plain, _ = made(None)
    assert plain.columns == ("day", "sales", "tv", "price")
    assert plain.evidence == snapshot.evidence


def test_a_later_attempt_needs_no_file(made: Made, tmp_path: Path) -> None:
    snapshot, _ = made("date,name\n2023-03-08,A\n")
    (tmp_path / "events.csv").unlink()
    again = Snapshot.load(snapshot.path)
    assert again.annotations == snapshot.annotations
    assert again.annotations is not None
    assert again.annotations.events == (
        DatedEvent(name="A", first=date(2023, 3, 8), last=date(2023, 3, 8)),
    )
    assert again.fingerprint == snapshot.fingerprint


def test_another_file_is_other_data(made: Made) -> None:
    header = "date,name,market\n"
    prints = [
        made(header + rows)[0].fingerprint
        for rows in (
            "2023-03-08,A,\n",
            "2023-03-08,A,DE\n2023-03-08,B,FR\n",  # the same for this market
            "2023-03-09,A,\n",  # another day of the same week
            "2023-03-08,A,\n2023-03-08,B,DE\n",
        )
    ]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3
    assert made(None)[0].fingerprint not in prints


@pytest.mark.parametrize(
    ("events", "expected", "sentence"),
    [
        (
            "date,name\n2023-03-08,A\n2031-01-01,A\n",
            [("events_outside", Outcome.WARN, ("A",))],
            "the event `A` on 2031-01-01 is outside the data (2020-12-14 to 2024-01-07)",
        ),
        (
            "date,name\n2031-01-01,A\n",
            [("constant", Outcome.BLOCK, ("A",)), ("events_outside", Outcome.WARN, ("A",))],
            "the factor `A` has the same level in every week",
        ),
        (
            "date,name\n2023-11-24,Black Friday\n2023-11-22,Cyber\n",
            [("same_events", Outcome.WARN, ("Black Friday", "Cyber"))],
            "are in the same weeks (2023-11-20)",
        ),
        (
            "date,name,market\n2023-11-24,A,FR\n",
            [("no_events", Outcome.WARN, ())],
            "has no event for market DE; it has events for `FR`",
        ),
    ],
)
def test_the_gate_checks_events(
    made: Made, events: str, expected: list[tuple[str, Outcome, tuple[str, ...]]], sentence: str
) -> None:
    _, verdict = made(events)
    assert found(verdict) == expected
    assert any(sentence in finding.sentence for finding in verdict.problems())


def test_filled_periods_have_their_events(made: Made, tmp_path: Path) -> None:
    made(None)
    table = pd.read_csv(tmp_path / "table.csv")
    table[table["day"] != "2023-03-06"].to_csv(tmp_path / "gap.csv", index=False)
    snapshot, _ = made(
        "date,name\n2023-03-08,A\n",
        source={"type": "file", "path": str(tmp_path / "gap.csv")},
        date={"column": "day", "frequency": "week", "fill": "zero"},
    )
    frame = pq.read_table(snapshot.path).to_pandas().set_index("day")
    assert snapshot.evidence.filled == (date(2023, 3, 6),)
    assert frame["A"][date(2023, 3, 6)] == "yes"
