"""Faults of a healthy table for each finding of the gate, for its tests and docs/data.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from examples.changes import (
    Change,
    again,
    daily,
    in_utc,
    moved,
    noisy,
    per_month,
    put,
    regions,
    same,
    thousands,
    times,
)
from examples.healthy import check_frame, healthy_table
from job.gate import Finding, Outcome, Verdict


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A change to the healthy table, and the only finding that the gate must report for it.

    Attributes:
        name: the name of the finding.
        outcome: its outcome.
        columns: the columns that it names.
        description: the fault in a few words.
        change: seeds the fault into the healthy table.
        setup: changes to the config.
        before: changes to the config of the last accepted run, which saw the healthy table; None
            if there is no such run.
    """

    name: str
    outcome: Outcome
    columns: tuple[str, ...]
    description: str
    change: Change
    setup: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] | None = None


def check_fault(fault: Fault, folder: Path) -> Verdict:
    """Return the gate's verdict on the healthy table with this fault."""
    previous = None
    if fault.before is not None:
        previous = check_frame(healthy_table(), folder, **fault.before).to_dict()
    return check_frame(fault.change(healthy_table()), folder, previous=previous, **fault.setup)


def findings() -> list[tuple[Fault, Finding]]:
    """Return every fault with the gate's finding."""
    with TemporaryDirectory() as folder:
        pairs = []
        for fault in FAULTS:
            verdict = check_fault(fault, Path(folder))
            pairs.append((fault, next(f for f in verdict.problems() if f.name == fault.name)))
        return pairs


def entry(fault: Fault, finding: Finding) -> str:
    """Return the fault's line in docs/data.md."""
    return f"- {finding.outcome}, {fault.description}: *{finding.sentence}*"


def _weekly(**date: object) -> dict[str, Any]:
    return {"date": {"column": "day", "frequency": "week", **date}}


def _fault(
    name: str,
    outcome: Outcome,
    columns: tuple[str, ...],
    description: str,
    change: Change,
    **more: Any,
) -> Fault:
    return Fault(
        name=name,
        outcome=outcome,
        columns=columns,
        description=description,
        change=change,
        **more,
    )


ALL = slice(None)
W, B = Outcome.WARN, Outcome.BLOCK
_DAY = ("day",)


def _lift_test(**changes: object) -> dict[str, Any]:
    """Return a config with one lift test, by default of five weeks."""
    test = {"channel": "search", "start": "2023-05-01", "end": "2023-06-04", "lift": 900}
    return {"calibration": [test | {"spend": 3000} | changes]}


FAULTS: tuple[Fault, ...] = (
    _fault("unreadable_dates", B, _DAY, "a date `soon`", put("day", 30, "soon")),
    _fault("unreadable_dates", B, _DAY, "a date `03.06.2021`", put("day", 21, "03.06.2021")),
    _fault(
        "unreadable_dates",
        B,
        _DAY,
        "some dates as `25/12/2023`, others as `12/25/2023`",
        lambda f: f.assign(
            day=[d.strftime("%d/%m/%Y" if i < 120 else "%m/%d/%Y") for i, d in enumerate(f["day"])]
        ),
        setup=_weekly(format="%d/%m/%Y"),
    ),
    _fault(
        "unreadable_dates",
        B,
        _DAY,
        "days first, of which Excel read those up to 12 with the month first",
        lambda f: f.assign(
            day=[f"{d:%Y-%d-%m}" if d.day <= 12 else f"{d:%d/%m/%Y}" for d in f["day"]]
        ),
    ),
    _fault("gaps", B, _DAY, "two weeks without a row", lambda f: f.drop(index=f.index[60:62])),
    _fault("gaps", B, _DAY, "a daily table, one day without a row", daily),
    _fault(
        "gaps",
        W,
        _DAY,
        "two weeks without a row, with `date.fill: zero`",
        lambda f: f.drop(index=f.index[60:62]),
        setup=_weekly(fill="zero"),
    ),
    _fault("gaps", B, _DAY, "a date `1970-01-01`", again(0, day=date(1970, 1, 1))),
    _fault("duplicate_dates", B, _DAY, "a row twice", again(70)),
    _fault(
        "repeated_values",
        B,
        ("sales",),
        "two rows per week with the same `sales` and different spends",
        lambda f: pd.concat(
            [f, f.assign(tv=f["tv"] * 0.3, grp=f["grp"] * 0.3, search=f["search"] * 2)]
        ),
    ),
    _fault(
        "repeated_values",
        B,
        ("sales",),
        "three rows in each of two regions, with the same `sales` within a region",
        regions,
    ),
    _fault("duplicate_dates", B, _DAY, "every row twice", lambda f: pd.concat([f, f])),
    _fault("duplicate_dates", W, _DAY, "two different rows for one day", again(70, tv=1.0)),
    _fault(
        "duplicate_dates",
        W,
        _DAY,
        "rows dated on Mondays, then on the Sundays before",
        moved(slice(80, None), -1),
    ),
    _fault(
        "freshness",
        B,
        _DAY,
        "a newest row nine days old, with `gate.max_age_days: 8`",
        same,
        setup={"gate": {"max_age_days": 8}},
    ),
    _fault(
        "freshness",
        B,
        _DAY,
        "a newest row from 2024-01-01, with `date.end: 2024-01-09`",
        same,
        setup=_weekly(end="2024-01-09"),
    ),
    _fault("future_dates", B, _DAY, "rows dated three weeks too late", moved(ALL, 21)),
    _fault("future_dates", B, _DAY, "a mistyped year", again(80, day=date(2203, 6, 6))),
    _fault(
        "window",
        W,
        _DAY,
        "data that starts long after `date.start`",
        same,
        setup=_weekly(start="2020-06-01"),
    ),
    _fault(
        "window",
        B,
        _DAY,
        "a modelling window after the data",
        same,
        setup=_weekly(window_start="2024-02-05"),
    ),
    _fault("week_start", W, _DAY, "rows dated on Sundays", moved(ALL, -1)),
    _fault(
        "time_zone",
        W,
        _DAY,
        "weeks that begin at midnight in Berlin, written in UTC",
        in_utc("Europe/Berlin"),
    ),
    _fault("missing_values", B, ("sales",), "an empty cell", put("sales", 50, None)),
    _fault(
        "missing_values",
        W,
        ("sales",),
        "an empty cell, within `gate.max_missing_share`",
        put("sales", 50, None),
        setup={"gate": {"max_missing_share": 0.05}},
    ),
    _fault(
        "missing_values", B, ("grp",), "a column without any value", lambda f: f.assign(grp=None)
    ),
    _fault("not_numeric", B, ("tv",), "`n/a` in a spend", put("tv", 50, "n/a")),
    _fault("not_numeric", B, ("search",), "`1.234,56` in a spend", put("search", 7, "1.234,56")),
    _fault("not_numeric", B, ("price",), "text in a context column", put("price", ALL, "high")),
    _fault("negative_values", B, ("search",), "a spend of -5", put("search", 9, -5.0)),
    _fault("negative_values", W, ("sales",), "a target of -5", put("sales", 9, -5.0)),
    _fault(
        "nothing_happens",
        Outcome.SKIP,
        ("sales", "tv", "search"),
        "a target and spend of zero",
        lambda f: f.assign(sales=0, tv=0, search=0),
    ),
    _fault(
        "constant", B, ("price",), "a context column that never changes", put("price", ALL, 3.0)
    ),
    _fault("constant", B, ("sales",), "a target that never changes", put("sales", ALL, 7.0)),
    _fault("constant", B, ("event",), "a factor with one level", put("event", ALL, "none")),
    _fault("all_zero", B, ("search",), "a channel that never ran", put("search", ALL, 0.0)),
    _fault(
        "all_zero",
        B,
        ("search",),
        "a channel that ran only before the modelling window",
        put("search", slice(60, None), 0.0),
        setup=_weekly(window_start="2022-06-06"),
    ),
    _fault(
        "nearly_empty",
        W,
        ("search",),
        "a channel that ran in four weeks",
        put("search", slice(4, None), 0.0),
    ),
    _fault(
        "many_levels",
        W,
        ("event",),
        "a factor with 32 levels",
        lambda f: f.assign(event=[f"e{i % 32}" for i in range(len(f))]),
    ),
    _fault(
        "all_negative",
        W,
        ("price",),
        "a context column that is never positive",
        lambda f: f.assign(price=-f["price"]),
    ),
    _fault(
        "target_end",
        B,
        ("sales",),
        "a target of 0 in the last weeks",
        put("sales", slice(-2, None), 0.0),
    ),
    _fault(
        "target_end",
        B,
        ("sales",),
        "no target in the last weeks",
        put("sales", slice(-2, None), None),
    ),
    _fault(
        "target_end",
        B,
        ("sales",),
        "the last value repeated to the end",
        put("sales", slice(-5, None), 9000.0),
    ),
    _fault("target_zero", W, ("sales",), "a target of 0 in one week", put("sales", 90, 0.0)),
    _fault(
        "channel_stopped",
        W,
        ("search",),
        "a channel silent for the last five weeks",
        put("search", slice(-5, None), 0.0),
    ),
    _fault(
        "spend_without_exposure",
        W,
        ("tv", "grp"),
        "an exposure that was not loaded",
        put("grp", slice(60, 90), 0.0),
    ),
    _fault(
        "exposure_without_spend",
        W,
        ("tv", "grp"),
        "a spend that was not loaded",
        put("tv", slice(60, 64), 0.0),
    ),
    _fault(
        "longer_period",
        B,
        ("sales",),
        "the sales of a month in each of its weeks",
        per_month("sales"),
    ),
    _fault(
        "longer_period",
        W,
        ("search",),
        "the spend of a month in each of its weeks",
        per_month("search"),
    ),
    _fault(
        "running_total",
        W,
        ("search",),
        "the spend since the first week",
        lambda f: f.assign(search=f["search"].cumsum()),
    ),
    _fault(
        "rate_as_spend",
        W,
        ("search",),
        "a click rate as a spend",
        lambda f: f.assign(search=(0.02 + f["search"] / 100_000).round(5)),
    ),
    _fault(
        "rate_as_spend",
        W,
        ("search",),
        "an average position as a spend",
        lambda f: f.assign(search=(2 + f["search"] / 1000).round(2)),
    ),
    _fault(
        "average_as_spend",
        W,
        ("tv", "grp"),
        "a cost per point as the spend of TV",
        lambda f: f.assign(tv=(400 + f["search"] / 20).round(2), grp=f["grp"] + 30),
    ),
    _fault(
        "tiny_spend",
        W,
        ("search",),
        "a spend in thousands beside a spend that is not",
        lambda f: f.assign(search=(f["search"] / 1000).round(3) * (np.arange(len(f)) % 3 > 0)),
    ),
    _fault(
        "outliers",
        W,
        ("search",),
        "one value a thousand times too large",
        times("search", slice(80, 81), 1000),
    ),
    _fault(
        "outliers",
        W,
        ("sales",),
        "one value ten times too small",
        times("sales", slice(80, 81), 0.1),
    ),
    _fault(
        "level_shift",
        W,
        ("search",),
        "another unit from one date on",
        times("search", slice(100, None), 1000),
    ),
    _fault(
        "level_shift",
        W,
        ("search",),
        "another unit in the last four weeks",
        times("search", slice(-4, None), 0.01),
    ),
    _fault("mixed_units", W, ("mail",), "`1.034` for 1034 next to `998`", thousands),
    _fault("few_rows", B, (), "36 weeks", lambda f: f.tail(36)),
    _fault("short_history", W, (), "50 weeks, with `season`", lambda f: f.tail(50)),
    _fault(
        "rows_per_driver",
        W,
        (),
        "160 weeks, with `gate.min_rows_per_driver: 40`",
        same,
        setup={"gate": {"min_rows_per_driver": 40}},
    ),
    _fault(
        "collinearity",
        B,
        ("mail", "search"),
        "a driver that is three times another",
        lambda f: f.assign(mail=f["search"] * 3),
    ),
    _fault("collinearity", W, ("mail", "search"), "a driver nearly equal to another", noisy),
    _fault(
        "target_in_driver",
        W,
        ("mail", "sales"),
        "a driver derived from the target",
        lambda f: f.assign(mail=f["sales"] / 40),
    ),
    _fault(
        "lift_test_dates",
        B,
        _DAY,
        "a lift test from before the first week",
        same,
        setup=_lift_test(start="2020-11-30"),
    ),
    _fault(
        "lift_test_dates",
        B,
        _DAY,
        "a lift test that ends after the last week",
        same,
        setup=_lift_test(end="2024-01-21"),
    ),
    _fault(
        "lift_test_dates",
        B,
        _DAY,
        "a lift test of one week",
        same,
        setup=_lift_test(start="2023-05-08", end="2023-05-14", spend=650),
    ),
    _fault(
        "lift_test_spend",
        W,
        ("search",),
        "a lift test with a spend of 5,000,000; the column has 3,000",
        same,
        setup=_lift_test(spend=5_000_000),
    ),
    _fault(
        "changed_history",
        W,
        ("search",),
        "a past quarter that was restated",
        times("search", slice(90, 103), 1.5),
        before={},
    ),
    _fault(
        "columns_changed",
        W,
        ("mail",),
        "a column that the last accepted run did not have",
        same,
        before={"organic": []},
    ),
    _fault(
        "new_levels",
        W,
        ("event",),
        "a level that the last accepted run did not have",
        put("event", 150, "Promo"),
        before={},
    ),
)
