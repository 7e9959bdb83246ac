"""The section about lift tests: what was measured, and what the model expects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from contract.amounts import amount
from job.gate.wording import verb
from job.report.blocks import Block, Format, Note, Section, table
from job.report.inputs import ReportInputs
from job.report.units import percent


def lift_tests(inputs: ReportInputs) -> list[Section]:
    """Show each lift test beside what the model expects, or nothing if there are none."""
    if not inputs.config.calibration:
        return []
    tests = (inputs.posterior or {}).get("tests") or []
    title = "Lift tests and model"
    if not tests:
        text = (
            "The search was calibrated to the lift tests; without a posterior they are not "
            f"compared one by one. Their mean error is {percent(inputs.metrics.get('mape'))}."
        )
        return [Section("lift", title, [Note(text)])]
    rows = []
    for test in tests:
        given = inputs.config.calibration[test["number"]]
        lift, error = (amount(test[key]) for key in ("lift", "standard_error"))
        rows.append(
            {
                "test": f"{given.channel}, {given.start} to {given.end}",
                "measured": f"{lift} ± {error}",
                "before": _span(test["before"]),
                "after": _span(test["after"]),
                "agrees": "yes" if _agrees(test) else "no",
            }
        )
    unit = inputs.units.target_unit
    columns: dict[str, tuple[str, Format]] = {
        "test": ("lift test", "text"),
        "measured": (f"measured lift ± standard error, {unit}", "span"),
        "before": ("the model without tests", "span"),
        "after": ("the model with all tests", "span"),
        "agrees": ("agrees with the data", "text"),
    }
    agreeing = sum(_agrees(test) for test in tests)
    says = (
        f"{agreeing} of {len(tests)} lift {verb(len(tests), 'test', 'tests')} "
        f"{verb(agreeing, 'agrees', 'agree')} with what the data say without any test."
    )
    note = (
        "Lift tests count as measurements beside the data. A test agrees with the data if its 90% "
        "interval overlaps that of the model without tests."
    )
    blocks: list[Block] = [Note(says, "lead"), table(pd.DataFrame(rows), columns), Note(note)]
    return [Section("lift", title, [*blocks, *_other_spends(inputs)])]


def _other_spends(inputs: ReportInputs) -> list[Block]:
    """Repeat the gate's findings on tests whose spend is not that of the data."""
    checks = (inputs.quality or {}).get("checks") or []
    found = [check for check in checks if check["check"] == "lift_test_spend"]
    return [
        Note(
            f"Do not use the results of these channels yet: {check['sentence']}. The lift of the "
            "test belongs to its own spend, and this pulls their results away from the data.",
            "warning",
        )
        for check in found
        if check["outcome"] == "WARN"
    ]


def _agrees(test: Mapping[str, Any]) -> bool:
    """Return whether the 90% intervals of test and model overlap."""
    reach = 1.645 * test["standard_error"]
    before = test["before"]
    return bool(before["low"] <= test["lift"] + reach and test["lift"] - reach <= before["high"])


def _span(found: Mapping[str, float]) -> str:
    low, median, high = (amount(found[key]) for key in ("low", "median", "high"))
    return f"{median} ({low} to {high})"
