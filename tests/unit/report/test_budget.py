"""The section about the budget: what a proposal would change, its heading, channels at a bound."""

from __future__ import annotations

from typing import Any

from job.report import render_report
from tests.unit.report.conftest import Make, tables
from tests.unit.report.page import Page

EUR = {"column": "REVENUE", "label": "net revenue", "currency": "EUR"}


def allocation(**changes: Any) -> list[dict[str, Any]]:
    return [{**row, **changes} for row in tables(["tv", "search", "radio"])["allocation"]]


def text(make: Make, rows: list[dict[str, Any]], **changes: Any) -> str:
    return Page(render_report(make(rows={"allocation": rows}, target=EUR, **changes))).text


def test_the_gain_is_a_share_of_the_target_too_and_bounds_are_marked(make: Make) -> None:
    rows = allocation()
    rows[0] |= {"spend_optimal": 100.0, "response_optimal": 140.0}
    rows[1] |= {"spend_optimal": 25.0}
    rows[2] |= {"spend_optimal": 0.0, "lower_bound": 0.0, "upper_bound": 0.0}
    found = text(make, rows)
    assert "Maximum response for the same budget" in found
    assert "With 125 EUR per week instead of 150 EUR" in found
    assert "paid media would bring 60.00 EUR more per week: 20.0% of what paid media bring" in found
    assert "of net revenue, by the chosen model." in found
    assert "100, upper bound" in found
    assert "25, lower bound" in found
    assert "tv and search are at a bound that the config sets" in found


def test_a_total_budget_is_not_the_same_budget(make: Make) -> None:
    outputs = {"allocator": [{"scenario": "max_response", "total_budget": 2_000_000.0}]}
    found = text(make, allocation(), outputs=outputs)
    assert "Maximum response for a budget of 2.0 million EUR in the whole window" in found
    assert "same budget" not in found
    assert "is at a bound" not in found
    assert "are at a bound" not in found


def test_an_infeasible_allocation_has_a_warning(make: Make) -> None:
    rows = allocation(is_feasible=False, scenario="target_efficiency", target_value=2.5)
    found = text(make, rows)
    assert "Maximum response at a target ROAS" in found
    assert "No allocation within the bounds" in found
    assert "Target ROAS: 2.50" in found
