"""The summary is one short page that says what to do next."""

from __future__ import annotations

from dataclasses import replace

from job.report import ReportInputs, render_summary
from job.report.summary import MAX_ITEMS, MAX_LETTERS, next_steps
from tests.unit.report.conftest import Make, tables
from tests.unit.report.page import Page
from tests.unit.report.test_posterior import POSTERIOR, channel

EUR = {"column": "REVENUE", "label": "net revenue", "currency": "EUR"}


def inputs(make: Make, level: str = "REVIEW", findings: int = 1, channels: int = 3) -> ReportInputs:
    names = [f"channel_{n}_{'x' * 40}" for n in range(channels)]
    found = {"check": "c", "level": level, "sentence": "the " + "long " * 90 + "finding: act"}
    rows = tables(names)["allocation"]
    rows[0] |= {"spend_optimal": 20.0}
    return make(
        channels=names,
        target=EUR,
        rows={"allocation": rows},
        figures={
            "posterior": {**POSTERIOR, "channels": [channel(n, 1.0 + k) for k, n in
                                                    enumerate(names)]},
            "verdict": {"verdict": level, "findings": [found] * findings},
        },
    )  # fmt: skip


def test_it_fits_on_a_side_of_paper_whatever_the_run_has(make: Make) -> None:
    page = Page(render_summary(inputs(make, findings=30, channels=40)))
    drawn = page.html.partition('class="wide"')[2].partition("</svg>")[0]
    assert drawn.count("<title>") == 2 * 6  # a point and an interval of the best and the worst
    assert "without 34 between them" in page.text
    steps = next_steps(inputs(make, findings=30))
    assert len(steps) <= MAX_ITEMS + 1
    assert all(len(step) <= MAX_LETTERS + 2 for step in steps)
    assert "Read 27 other findings in the report." in steps
    assert '<body class="sheet">' in page.html
    assert page.text.count("Table") == 0


def test_it_says_what_to_do_next(make: Make) -> None:
    steps = next_steps(inputs(make))
    assert steps[1].startswith("Consider a shift of budget from channel_0_")
    assert steps[2].startswith("Test social next: a lift test")
    failed = next_steps(inputs(make, "FAIL"))
    assert not any("shift of budget" in step for step in failed)
    none = replace(inputs(make), metrics={**inputs(make).metrics, "verdict": None})
    assert next_steps(none)[0].startswith("Consider a shift")


def test_it_has_the_verdict_and_the_same_sentences_as_the_report(make: Make) -> None:
    text = Page(render_summary(inputs(make))).text
    for part in (
        "REVIEW Read the findings below",
        "Paid media brought",
        "returns the most per EUR",
    ):
        assert part in text
    assert "report.html" in text
