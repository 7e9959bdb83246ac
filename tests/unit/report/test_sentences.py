"""The five sentences say what the figures say, with units, intervals and the change."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from job.report import ReportInputs, render_report, sentences
from tests.unit.report.conftest import Make
from tests.unit.report.page import Page
from tests.unit.report.test_posterior import POSTERIOR, channel, span

EUR = {"column": "REVENUE", "label": "net revenue", "currency": "EUR"}
ORDERS = {"column": "N", "kind": "conversion", "label": "orders", "currency": "EUR"}


def inputs(
    make: Make, target: dict[str, Any] = EUR, *, posterior: bool = True, **changes: Any
) -> ReportInputs:
    figures = {"posterior": {**POSTERIOR, **changes}} if posterior else {}
    return make(channels=["tv", "search", "social"], target=target, figures=figures)


def drift(*, reasons: list[str], **roas: tuple[float, float]) -> dict[str, Any]:
    channels = [
        {"name": name, "before": {"roas": was}, "after": {"roas": now}}
        for name, (was, now) in roas.items()
    ]
    return {"against": "RUN", "reasons": reasons, "channels": channels}


def test_what_media_brought_in_money_and_as_a_share(make: Make) -> None:
    total = {**channel(None, 2.5), "contribution": span(135_403_880.0), "share": span(0.32)}
    assert sentences.brought(inputs(make, total=total)) == (
        "Paid media brought 135.4 million EUR, 32.0% of net revenue (90% interval: 25.6% to 38.4%)."
    )
    assert sentences.brought(inputs(make, ORDERS, total=total)) == (
        "Paid media brought 135.4 million orders, 32.0% of all (90% interval: 25.6% to 38.4%)."
    )


def test_best_and_worst_channel_with_their_intervals(make: Make) -> None:
    assert sentences.best_and_worst(inputs(make)) == (
        "search returns the most per EUR of spend, with a ROAS of 5.00 (90% interval: 4.00 to "
        "6.00); social returns the least, with 0.50 (90% interval: 0.40 to 0.60)."
    )
    near = [channel("tv", 2.0), channel("search", 2.2)]
    assert "so their order is not certain" in sentences.best_and_worst(inputs(make, channels=near))
    one = inputs(make, channels=[channel("tv", 2.0)])
    assert sentences.best_and_worst(one) == ("tv has a ROAS of 2.00 (90% interval: 1.60 to 2.40).")


def test_a_cpa_is_the_inverse_and_its_interval_never_begins_with_nothing(make: Make) -> None:
    dear = {**channel("tv", 0.02), "roas": {"median": 0.02, "low": 0.0, "high": 0.04}}
    cheap = {**channel("search", 400.0), "roas": {"median": 400.0, "low": 300.0, "high": 500.0}}
    text = sentences.best_and_worst(inputs(make, ORDERS, channels=[dear, cheap]))
    assert "search returns the most per EUR of spend, with a CPA of 0.0025 EUR" in text
    assert "0.002 to 0.0033 EUR" in text
    assert "tv returns the least, with 50.00 EUR (90% interval: 25.00 EUR or more)" in text
    assert not re.search(r"(?<!\d)0\.00 ", text)


def test_what_the_next_unit_of_spend_brings(make: Make) -> None:
    assert sentences.marginal(inputs(make)) == (
        "At today's spend, one more EUR of spend brings 1.25 EUR of net revenue (90% interval: "
        "1.00 to 1.50), from 2.50 for search to 0.25 for social."
    )
    assert sentences.marginal(inputs(make, ORDERS)).startswith(
        "At today's spend, one more conversion costs 0.80 EUR (90% interval: 0.67 to 1.00 EUR)"
    )
    assert "unit of spend brings 1.25 of REVENUE" in sentences.marginal(
        inputs(make, {"column": "REVENUE"})
    )


def test_the_change_against_the_current_run(make: Make) -> None:
    plain = inputs(make)
    assert "has no current run yet" in sentences.change(plain)
    moved = replace(plain, drift=drift(reasons=[], tv=(2.0, 2.1), search=(4.0, 3.0)))
    assert sentences.change(moved) == (
        "Compared with the market's current run RUN, search changed the most: its ROAS is 3.00 and "
        "was 4.00 "
        "(-25%); all changes are within the tolerances."
    )
    reasons = ["the verdict is FAIL: it is", "… (`promotion.max_roas_change`)"]
    held = replace(plain, drift=drift(reasons=reasons, tv=(2.0, 2.1)))
    assert sentences.change(held).endswith(
        "; 1 change is beyond the tolerances. The run is held, so the current run stays."
    )
    cpa = replace(inputs(make, ORDERS), drift=drift(reasons=[], tv=(0.1, 0.2)))
    assert "its CPA is 5.00 EUR and was 10.00 EUR (-50%)" in sentences.change(cpa)
    none = replace(plain, drift=drift(reasons=[], tv=(0.0, 0.0)))
    assert "Nothing can be compared" in sentences.change(none)


@pytest.mark.parametrize(
    ("frequency", "end", "sentence"),
    [
        ("day", "2025-07-28", "30 days, from 2025-01-06 to 2025-07-28"),
        ("week", "2025-07-28", "30 weeks, from 2025-01-06 to 2025-08-03"),
        ("month", "2025-02-01", "30 months, from 2025-01-06 to 2025-02-28"),
    ],
)
def test_the_period_ends_with_the_last_day(
    make: Make, frequency: str, end: str, sentence: str
) -> None:
    dates = {"column": "DATE", "frequency": frequency}
    found = make(date=dates, figures={"window_end": end})
    assert sentence in sentences.period(found)


def test_without_a_posterior_nothing_is_certain_and_the_page_says_so(make: Make) -> None:
    plain = inputs(make, posterior=False)
    said = sentences.in_short(plain)
    assert len(said) == 5
    assert "(no interval, because the run has no posterior)" in said[0]
    assert "90%" not in " ".join(said)
    assert "is unknown" in said[2]
    assert "These figures have no intervals" in Page(render_report(plain)).text


def test_they_stand_after_the_verdict_and_before_the_pictures(make: Make) -> None:
    found = inputs(make)
    text = Page(render_report(found)).text
    places = [text.index(sentence) for sentence in sentences.in_short(found)]
    assert text.index("Read these findings") < places[0]
    assert places == sorted(places)
    assert places[-1] < text.index("What each channel returns")
