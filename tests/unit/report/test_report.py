"""The report has every section, escapes all names, and makes no requests."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from contract.exceptions import ArtifactError
from job.report import render_report
from tests.unit.report.conftest import RUN_ID, Make, tables
from tests.unit.report.page import Page

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=\"alert('x')\">&amp;{{ 7*7 }}\u2028"
SECTIONS = [
    "What each channel returns: ROAS",
    "Where REVENUE comes from",
    "Share of spend and share of effect",
    "What more spend would bring",
    "How to split the budget",
    "How well the model fits",
    "Appendix",
    "Checks of the result",
    "ROAS of the chosen model",
    "Pareto front",
    "Convergence of the search",
    "Data",
    "Config, versions, timings",
    "Files of this run",
    "Glossary",
]
QUALITY = {
    "verdict": "WARN",
    "checks": [
        {"check": "gaps", "outcome": "PASS", "sentence": "No period is missing."},
        {
            "check": "collinearity", "outcome": "WARN", "figure": 12.5, "threshold": 10,
            "sentence": "tv and search move together.",
        },
    ],
}  # fmt: skip
RUN = {
    "engine": "robyn", "robyn": "3.12.1", "search": "fast", "seed": 123, "trials": 3,
    "iterations": 20, "cores": 2, "config_hash": "c" * 64,
    "selfcheck": {"models": 4, "max_relative_difference": 3e-12, "passed": True},
    "data": {
        "rows": 30, "columns": ["DATE"], "first_date": "2025-01-06", "last_date": "2025-07-28",
        "source": "file `data.csv`", "sql": ["SELECT 1"], "sha256": "d" * 64,
    },
    "versions": {"mmm_trainer": "0.1.0", "image": None, "r_packages": {"glmnet": "4.1.6"}},
    "steps": [{"name": "extract", "seconds": 1.25}, {"name": "outputs", "seconds": None}],
    "timings": {"trials": 12.5}, "warnings": ["the market is small"],
}  # fmt: skip


def test_the_verdict_stands_first_and_nothing_green_stands_beside_it(make: Make) -> None:
    page = Page(render_report(make(run=RUN, quality={**QUALITY, "verdict": "PASS"})))
    top = page.text[: page.text.index("Paid media brought")]
    assert "REVIEW Read these findings before you use the result." in top
    assert "REVIEW: the search has not ended." in top
    before_pictures = page.text[: page.text.index("What each channel returns")]
    assert "The chosen model fits the target" not in before_pictures
    assert "PASS" not in before_pictures
    assert "R²" not in before_pictures
    assert "The chosen model fits the target" in page.text
    assert "Read these findings" not in render_report(make(figures={"verdict": None}))


def test_every_section_and_its_figures(make: Make) -> None:
    inputs = make(run=RUN, quality=QUALITY)
    inputs = replace(inputs, files=["metrics.json", "tables/models.parquet", "onepagers/1_2_1.png"])
    page = Page(render_report(inputs))
    assert page.headings == SECTIONS
    assert page.missing == []
    for text in (
        "DE: marketing mix model", RUN_ID, "Robyn 3.12.1", "0.93", "0.071", "0.012",
        "WARN", "tv and search move together.", "1.25 to 3.50", "the market is small",
        "file data.csv", "SELECT 1", "glmnet 4.1.6", "12.5 s", "max relative difference",
        "2025-01-06 to 2025-08-03", "revision: r1", "no", "10.0%", "Checks without a finding: 1",
    ):  # fmt: skip
        assert text in page.text, text
    # Every chart is drawn for a page and for a phone, with a description and a table of numbers.
    drawings = [a for a in page.attributes if a[:2] == ("svg", "aria-label")]
    assert len(drawings) == 2 * 9
    assert all(len(description) > 20 for _, _, description in drawings)
    assert page.text.count("Table") == 8 + 1  # and the heading of the files
    assert "2025Q2" in page.text


def test_a_run_that_passed_every_check_says_how_many(make: Make) -> None:
    checks = [{"check": f"c{n}", "outcome": "PASS", "sentence": "Good."} for n in range(33)]
    page = Page(render_report(make(quality={"verdict": "PASS", "checks": checks})))
    assert "All 33 checks passed." in page.text
    checks[0]["sentence"] = "not checked: the market has no accepted run"
    page = Page(render_report(make(quality={"verdict": "PASS", "checks": checks})))
    assert "All 32 checks passed; 1 other did not apply." in page.text


def test_files_are_linked_beside_the_report(make: Make) -> None:
    files = ["summary.html", "onepagers/1_2_1.png", "tables/models.parquet", "a b#c.json"]
    page = Page(render_report(replace(make(), files=files)))
    links = page.values("href")
    assert {"summary.html", "onepagers/1_2_1.png", "tables/models.parquet"} <= set(links)
    assert "a%20b%23c.json" in links


def test_links_lead_to_sections_and_ids_are_unique(make: Make) -> None:
    page = Page(render_report(make()))
    ids = Counter(page.values("id"))
    assert max(ids.values()) == 1
    links = {link for link in page.values("href") if link.startswith("#")}
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert len(links) == len(SECTIONS) - 1
    for value in page.values("clip-path"):
        assert value.removeprefix("url(#").removesuffix(")") in ids


def test_nothing_is_fetched(make: Make) -> None:
    html = render_report(make(run=RUN, quality=QUALITY))
    page = Page(html)
    assert "http" not in html.replace("http-equiv", "")
    assert not {"link", "img", "iframe", "object", "base", "form"} & page.tags
    assert page.values("src") == []
    policy = next(v for v in page.values("content") if v.startswith("default-src"))
    assert policy.startswith("default-src 'none'")
    [script] = page.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy


def test_untrusted_names_are_escaped(make: Make) -> None:
    quality = {
        "verdict": HOSTILE,
        "checks": [{"check": HOSTILE, "outcome": "WARN", "sentence": HOSTILE}],
    }
    run = {
        "engine": HOSTILE, "warnings": [HOSTILE], "selfcheck": {HOSTILE: HOSTILE},
        "data": {"source": HOSTILE, "sql": [HOSTILE], "sha256": HOSTILE},
        "versions": {HOSTILE: HOSTILE, "packages": {HOSTILE: HOSTILE}},
        "steps": [{"name": HOSTILE, "seconds": 1.0}], "timings": {HOSTILE: 1.0},
    }  # fmt: skip
    channels = [HOSTILE, "datum.x' === '", 'a\\b"];alert(1)//', "search"]
    inputs = make(
        channels=channels,
        run=run,
        quality=quality,
        figures={"best_model": HOSTILE},
        target={"column": "REVENUE", "label": HOSTILE[:60]},
    )
    inputs = replace(inputs, files=[f"tables/{HOSTILE}", HOSTILE])
    html = render_report(inputs)
    page = Page(html)
    assert html.count("<script") == 1
    assert html.count("</script") == 1
    assert "img" not in page.tags
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert {tag for tag, _, _ in page.attributes} <= {
        "html", "meta", "body", "section", "a", "dd", "dl", "nav", "p", "div", "th", "td", "svg",
        "g", "path", "line", "text", "rect", "clippath", "circle", "script", "details", "pre", "ul", "h2",
    }  # fmt: skip
    assert "alert(1)" not in page.scripts[0]
    for name in channels:
        assert name in page.text
    assert "49" not in re.findall(r"\{\{.*?\}\}|49", page.text.split("alert(1)")[1])


def test_a_name_with_special_characters_is_drawn_unchanged(make: Make) -> None:
    page = Page(render_report(make(channels=["Büro & Co <x>", "search", "radio"])))
    assert "Büro & Co <x>; share of spend 33.3%" in page.text


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ({"allocation": []}, "The budget allocator has no result"),
        ({"response_curves": []}, "This run has no response curves"),
        ({"decomposition": "without intervals"}, "No ranges"),
        ({"decomposition": "without spend"}, "No channel has a ROAS"),
    ],
)
def test_missing_parts_have_a_note(make: Make, rows: dict[str, Any], sentence: str) -> None:
    found = dict(rows)
    if isinstance(found.get("decomposition"), str):
        names = ("interval_low", "interval_high") if "ranges" in sentence else ("spend",)
        decomposition = tables(["tv", "search", "radio"])["decomposition"]
        found["decomposition"] = [{**row, **dict.fromkeys(names)} for row in decomposition]
    page = Page(render_report(make(rows=found, run=RUN, quality=QUALITY)))
    assert page.headings == SECTIONS
    assert any(sentence in text for text in page.missing)


def test_a_run_without_records_has_a_note_for_each(make: Make) -> None:
    page = Page(render_report(make(figures={"convergence": None})))
    notes = " ".join(page.missing)
    for text in ("not checked", "No self-check", "Versions were not", "Timings were not"):
        assert text in notes
    assert "Convergence is unknown" in notes


def test_the_builtin_engine_is_never_called_robyn(make: Make) -> None:
    page = Page(render_report(make(run={"engine": "builtin"})))
    assert "builtin" in page.text
    assert "not Robyn" in page.text
    assert not re.search(r"Robyn \d", page.text)


def test_conversions_have_cpa(make: Make) -> None:
    target = {"column": "ORDERS", "kind": "conversion"}
    page = Page(render_report(make(target=target, run={"engine": "builtin"})))
    assert "What each channel returns: CPA" in page.headings
    assert "ROAS" not in page.text


def test_a_large_run_is_below_three_megabytes(make: Make) -> None:
    channels = [f"channel_with_a_long_name_{n}" for n in range(30)]
    rows = tables(channels, periods=1100, models=50_000)
    for index, row in enumerate(rows["decomposition_by_date"]):
        row["date"] = date(2022, 1, 1) + timedelta(days=index % 1100)
    html = render_report(make(channels=channels, rows=rows, run=RUN, quality=QUALITY))
    assert len(html.encode()) < 3_000_000
    page = Page(html)
    assert "The search tried 50,000 models" in page.text
    assert "other channels" in page.text


def test_intervals_are_named_by_their_method(make: Make) -> None:
    page = Page(render_report(make()))
    assert "that of the mean among the models" in page.text
    assert "11.0% to 22.0%" in page.text
    assert "similar models" in page.text
    how = {"method": "bootstrap", "level": 0.9, "draws": 500, "block": 6}
    page = Page(render_report(make(figures={"intervals": how})))
    assert "The range of refits holds 90% of 500 refits" in page.text
    assert "blocks of 6 periods" in page.text
    assert "It is no interval of the true ROAS" in page.text
    assert "model's cluster" not in page.text
    rows = [
        {**row, **dict.fromkeys(("interval_low", "interval_high", "share_low", "share_high"))}
        for row in tables(["tv", "search", "radio"])["decomposition"]
    ]
    none = {"rows": {"decomposition": rows}, "figures": {"intervals": {"method": "none"}}}
    page = Page(render_report(make(**none)))
    assert any("No ranges" in text for text in page.missing)


def test_an_interval_without_an_upper_end(make: Make) -> None:
    rows = [{**row, "interval_high": None} for row in tables(["tv"])["decomposition"]]
    page = Page(render_report(make(channels=["tv"], rows={"decomposition": rows})))
    assert "1.25 or more" in page.text


def test_trials_of_different_lengths(make: Make) -> None:
    objectives = {"decomp_rssd": False, "nrmse": True}
    trials = [
        {"trial": 1, "iterations": 2100, "converged": True, "stopped": "converged",
         "objectives": {**objectives, "decomp_rssd": True}},
        {"trial": 2, "iterations": 5000, "converged": False, "stopped": "limit",
         "objectives": objectives},
    ]  # fmt: skip
    run = {**RUN, "trials": 2, "iterations": 2000, "trial_iterations": [2100, 5000]}
    page = Page(render_report(make(run=run, figures={"trials": trials})))
    assert "2 trials of 2100 to 5000 iterations" in page.text
    for text in ("2,100", "5,000", "reached the limit", "converged", "not yet"):
        assert text in page.text, text


def test_the_validation_is_shown(make: Make) -> None:
    mean = {"rsq": 0.6, "nrmse": 0.2, "mape": 0.08, "inside": 0.875}
    fold = {"train_periods": 22, "start": "2025-06-09", "end": "2025-07-28", **mean}
    found = {"folds": 1, "horizon": 8, "mean": mean, "by_fold": [fold]}
    page = Page(render_report(make(figures={"validation": found})))
    assert "How well the model predicts" in page.headings
    assert "For 8 weeks that it had not seen, the model was off by 8.0% on average" in page.text
    assert "87.5% of the weeks were inside its 90% interval" in page.text
    assert "2025-06-09 to 2025-07-28" in page.text


def test_the_same_run_gives_the_same_page(make: Make) -> None:
    assert render_report(make(run=RUN)) == render_report(make(run=RUN))


def test_a_missing_table_is_named(make: Make, tmp_path: Path) -> None:
    inputs = make()
    (inputs.tables / "pareto.parquet").unlink()
    with pytest.raises(ArtifactError, match="`pareto`"):
        render_report(inputs)
    empty = replace(make(rows={"decomposition": []}))
    with pytest.raises(ArtifactError, match="no rows"):
        render_report(empty)
