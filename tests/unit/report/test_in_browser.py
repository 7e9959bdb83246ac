"""The pages in a real browser: at three widths, light and dark, with names that attack."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from contract import layout
from contract.base import canonical_json
from contract.pages.update import update_index
from contract.run import State, Status
from contract.stores.folder import FolderStore
from job.report import render_report, render_summary
from mmm.compare.page import render_comparison
from tests.console.browser import Browser, Page, missing, running
from tests.unit.compare.test_page import channel as compared_channel
from tests.unit.compare.test_page import compared
from tests.unit.report.conftest import Make, tables
from tests.unit.report.test_posterior import POSTERIOR, channel
from tests.unit.report.test_report import QUALITY, RUN

HOSTILE = "</title></script><img src=x onerror=window.attacked=1>'\"{{ 7*7 }}` `b`"
CHANNELS = [HOSTILE, "search", "a_channel_with_a_name_of_sixty_three_letters_that_cannot_be_broken"]
WIDTHS = (1280, 768, 390)
PAGES = ("report", "summary", "compare", "index")
SERIOUS = ("serious", "critical")
# Whatever the browser complains of, from the first line of a page on.
LISTEN = """
window.complaints = [];
addEventListener('error', e => complaints.push(e.message || `${e.target.tagName} failed`), true);
addEventListener('unhandledrejection', e => complaints.push(String(e.reason)));
document.addEventListener('securitypolicyviolation', e => complaints.push(e.violatedDirective));
for (const level of ['error', 'warn']) console[level] = (...said) => complaints.push(said.join(' '));
"""
CHECK = """
axe.run(document, {resultTypes: ['violations']}).then(found => JSON.stringify(
  found.violations.map(v => [v.impact, v.id, v.nodes.slice(0, 3).map(n => n.html.slice(0, 200))])))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running() as made:
        yield made


def index_page(folder: Path) -> str:
    store = FolderStore(folder)
    for number, (market, state) in enumerate(
        [("DE", State.SUCCEEDED), ("DE", State.HELD), (HOSTILE, State.FAILED)]
    ):
        run_id = f"2026112{number}T020000Z-aaaaaaa{number}"
        at = datetime(2026, 11, 20 + number, 3, tzinfo=UTC)
        metrics = {"rsq_train": 0.9, "posterior": {"total": {"roas": {"median": 2.0 + number}}}}
        outcome = {
            "verdict": {"verdict": "REVIEW", "findings": []}, "best_model": metrics,
            "report_uri": "report.html",
        }  # fmt: skip
        status = Status(
            run_id=run_id, state=state, market=market, revision="r1", created_at=at, updated_at=at,
            outcome=outcome if state is not State.FAILED else {},
        )  # fmt: skip
        store.write(layout.status(run_id), status.to_json())
    first = {"run_id": "20261120T020000Z-aaaaaaa0"}
    store.write(layout.current("r1", "DE"), canonical_json(first))
    update_index(store)
    return store.read(layout.index()).data.decode()


@pytest.fixture
def html(make: Make, tmp_path: Path) -> Callable[[str], str]:
    """Return a function that renders a page."""
    sentence = f"`{HOSTILE}` moves with `search`: raise `posterior.sweeps`"
    findings = [
        {"check": "c", "level": level, "sentence": sentence} for level in ("REVIEW", "PASS")
    ]
    checks = [*QUALITY["checks"], {"check": HOSTILE, "outcome": "WARN", "sentence": sentence}]

    def render(name: str) -> str:
        if name == "index":
            return index_page(tmp_path / "bucket")
        if name == "compare":
            found = compared(
                *(compared_channel(n, 2.0, 3.0, config=0.9, search=0.1) for n in CHANNELS),
                compared_channel(None, 2.0, 2.2),
            )
            return render_comparison(found)
        inputs = make(
            channels=CHANNELS,
            run=RUN,
            quality={"verdict": "WARN", "checks": checks},
            target={"column": "REVENUE", "label": HOSTILE[:60], "currency": "EUR"},
            rows={"allocation": tables(CHANNELS)["allocation"]},
            figures={
                "posterior": {**POSTERIOR, "channels": [channel(n, 2.1) for n in CHANNELS]},
                "verdict": {"verdict": "REVIEW", "findings": findings},
            },
        )
        inputs = replace(inputs, files=["summary.html", f"tables/{HOSTILE}"])
        return render_report(inputs) if name == "report" else render_summary(inputs)

    return render


def complaints(page: Page) -> list[str]:
    found: list[str] = page.run("window.complaints.concat(window.attacked ? ['attacked'] : [])")
    return found


def violations(page: Page) -> list[Any]:
    return [v for v in json.loads(page.run(CHECK)) if v[0] in SERIOUS]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_by_everybody(
    browser: Browser, html: Callable[[str], str], tmp_path: Path, name: str
) -> None:
    """axe finds nothing serious, nothing is wider than the screen, and the console is empty."""
    file = tmp_path / f"{name}.html"
    file.write_text(html(name))
    axe = files("axe_core_python").joinpath("axe.min.js").read_text()
    page = browser.page()
    page.send("Page.enable")
    page.send("Page.addScriptToEvaluateOnNewDocument", source=LISTEN)
    page.open(file.as_uri())
    page.wait("document.readyState == 'complete' && !!window.complaints")
    page.run(f"{axe}; true")
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        page.send("Emulation.setEmulatedMedia", features=[feature])
        for width in WIDTHS:
            page.resize(width)
            assert page.run("document.documentElement.scrollWidth") <= width, (scheme, width)
            assert violations(page) == [], (scheme, width)
    assert complaints(page) == []
    assert page.run("document.images.length") == 0


def test_the_checks_of_this_file_can_fail(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "bad.html"
    file.write_text(
        "<!doctype html><html><head><meta charset=utf-8><meta http-equiv=Content-Security-Policy "
        "content=\"img-src 'none'\"></head><body><img src=x><p style='color:#eee'>pale</p>"
        "<script>console.error('seen'); missing()</script></body></html>"
    )
    page = browser.page()
    page.send("Page.enable")
    page.send("Page.addScriptToEvaluateOnNewDocument", source=LISTEN)
    page.open(file.as_uri())
    page.wait("document.readyState == 'complete' && !!window.complaints")
    page.run(f"{files('axe_core_python').joinpath('axe.min.js').read_text()}; true")
    assert {"seen", "img-src"} <= set(complaints(page))
    assert any("missing is not defined" in text for text in complaints(page))
    assert {"color-contrast", "image-alt", "html-has-lang"} <= {v[1] for v in violations(page)}
