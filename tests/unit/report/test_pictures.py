"""The pictures: text of a readable size, contrast, colours that stay, tooltips for the keyboard."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files

import pytest

from job.report import render_report, results
from job.report.svg import NARROW, WIDE
from tests.unit.report.conftest import Make, config, tables
from tests.unit.report.page import Page
from tests.unit.report.test_posterior import page as page_with_posterior

STYLE = files("contract.pages").joinpath("style.css").read_text()
SCRIPT = files("job.report").joinpath("tooltip.js").read_text()
MARKS = (
    "actual", "fit", "accent", "accent2", "soft", "paid", "organic", "context", "base",
    *(f"s{n}" for n in range(1, 11)),
)  # fmt: skip
TEXTS = ("text", "muted", "link", "ok", "warn", "bad")


def colours(scheme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    pairs = re.findall(r"--(\w+): (#\w{6})", light if scheme == "light" else dark)
    return dict(pairs)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_and_text_stand_out_from_the_page(scheme: str) -> None:
    found = colours(scheme)
    for ground in ("page", "card"):
        assert {n for n in MARKS if contrast(found[n], found[ground]) < 3} == set()
        assert {n for n in TEXTS if contrast(found[n], found[ground]) < 4.5} == set()


def test_every_chart_is_drawn_for_a_phone_with_text_that_can_be_read(make: Make) -> None:
    html = render_report(make())
    for canvas, screen in ((WIDE, 701), (NARROW, 360)):
        drawings = re.findall(rf'<svg [^>]*class="{canvas.name}".*?</svg>', html, re.DOTALL)
        assert len(drawings) == 9
        for drawing in drawings:
            [box] = re.findall(r'viewBox="0 0 ([\d.]+)', drawing)
            sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)px"', drawing)]
            scale = min(1.0, (screen - 32) / float(box))
            assert min(sizes) * scale >= 10, (canvas.name, box, min(sizes))


def test_a_channel_keeps_its_colour_when_the_order_of_effects_changes(make: Make) -> None:
    inputs = make()
    few = results.colours_over_time(inputs, {"tv", "radio"})
    more = results.colours_over_time(inputs, {"tv", "search", "radio"})
    assert (few["tv"], few["radio"]) == (more["tv"], more["radio"])
    assert len({more[name] for name in ("tv", "search", "radio")}) == 3
    rows = tables(["tv", "search", "radio"])
    for row in rows["decomposition"]:
        row["contribution"] = 1e6 - row["contribution"]
    assert results.colours_over_time(make(rows=rows), {"tv", "radio"}) == few


def test_channels_that_would_share_a_colour_get_different_ones(make: Make) -> None:
    names = [f"c{n}" for n in range(12)]
    found = results.colours_over_time(
        replace(make(channels=names), config=config(names)), {"c0", "c1", "c10", "c11"}
    )
    assert len({found[name] for name in ("c0", "c1", "c10", "c11")}) == 4


def test_no_point_is_drawn_outside_its_own_interval(make: Make) -> None:
    """The range of similar models may leave out the chosen model, so only a table has it."""
    rows = tables(["tv", "search", "radio"])
    for row in rows["decomposition"]:
        if row["kind"] == "paid_media":
            row |= {"roas": 9.0, "interval_low": 1.25, "interval_high": 3.5}
    html = render_report(make(rows=rows))
    [section] = re.findall(r'<section id="returns">.*?</section>', html, re.DOTALL)
    assert "no interval" in section
    assert "1.25" not in section
    assert "1.25 to 3.50" in Page(html).text


def test_names_of_channels_are_shortened_in_their_middle(make: Make) -> None:
    names = [f"channel_with_a_long_name_in_{city}" for city in ("berlin", "bremen", "munich")]
    html = render_report(make(channels=names))
    assert "channel_with_a…name_in_berlin" in html


def test_the_keyboard_reaches_charts_tables_and_tooltips(make: Make) -> None:
    page = Page(render_report(make()))
    focusable = [tag for tag, name, _ in page.attributes if name == "tabindex"]
    assert focusable.count("svg") == 2 * 9
    assert focusable.count("div") == page.html.count('<div class="wide-table"')
    for key in ("ArrowRight", "ArrowLeft", "Escape", "keydown", "blur"):
        assert key in SCRIPT
    assert 'setAttribute("role", "status")' in SCRIPT


def test_numbers_are_not_broken_and_tables_are_printed(make: Make) -> None:
    text = page_with_posterior(make).html
    assert 'class="number">2.10 (1.68 to 2.52)' in text
    assert re.search(r"td\.number \{[^}]*white-space: nowrap", STYLE)
    assert "beforeprint" in SCRIPT
    assert "afterprint" in SCRIPT
    [printed] = re.findall(r"@media print \{.*", STYLE, re.DOTALL)
    assert "details:not(.table) { display: none; }" in printed.replace("nav, .tip, ", "")
    assert text.count('<details class="table">') >= 8
