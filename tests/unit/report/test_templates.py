"""Sentences become HTML: what they have in backticks is code, and every name in them stays text."""

from __future__ import annotations

import re

import pytest

from contract.pages.templates import cut, prose
from job.report import render_report, render_summary
from mmm.compare.page import render_comparison
from tests.unit.compare.test_page import channel, compared
from tests.unit.report.conftest import Make
from tests.unit.report.page import Page

SENTENCE = "raise `posterior.sweeps` or read `<b>`"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("no code", "no code"),
        ("set `training.min_r2`, then `a & b`",
         "set <code>training.min_r2</code>, then <code>a &amp; b</code>"),
        ("`</code><script>alert(1)</script>`",
         "<code>&lt;/code&gt;&lt;script&gt;alert(1)&lt;/script&gt;</code>"),
        ("an odd ` stays", "an odd ` stays"),
        ("` blank ` and `` stay", "` blank ` and `` stay"),
        ("`one\nline`", "<code>one\nline</code>"),
        ("`x`", "<code>x</code>"),
    ],
)  # fmt: skip
def test_what_stands_in_backticks_is_code(text: str, html: str) -> None:
    assert prose(text) == html


def test_a_sentence_is_cut_between_words_and_not_inside_code() -> None:
    assert cut("short", 5) == "short"
    assert cut("three words here", 12) == "three words …"
    assert cut("see `a query with blanks` here", 15) == "see …"
    assert cut("see `a query` here and there", 20) == "see `a query` here …"


def test_no_page_shows_a_backtick(make: Make) -> None:
    finding = {"check": "convergence", "level": "REVIEW", "sentence": SENTENCE}
    checks = [{"check": "gaps", "outcome": "WARN", "sentence": SENTENCE}]
    inputs = make(
        figures={"verdict": {"verdict": "REVIEW", "findings": [finding]}},
        quality={"verdict": "WARN", "checks": checks},
        run={"warnings": [SENTENCE], "data": {"source": "file `a.csv`", "sql": ["FROM `a.b`"]}},
    )
    comparison = compared(channel("tv", 2.0, 3.0, config=1.0))
    comparison.causes["config"].append(SENTENCE)
    pages = [render_report(inputs), render_summary(inputs), render_comparison(comparison)]
    for html in pages:
        assert "<code>posterior.sweeps</code>" in html
        assert "<code>&lt;b&gt;</code>" in html
        assert "b" not in Page(html).tags
        assert "`" not in Page(re.sub("<pre.*?</pre>", "", html, flags=re.DOTALL)).text
    assert "<code>a.csv</code>" in pages[0]
    assert "FROM `a.b`" in pages[0]  # SQL is shown as it was sent
