"""Draw charts as inline SVG, so the page needs no script, font or network to show them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import altair as alt
import vl_convert
from markupsafe import Markup


@dataclass(frozen=True)
class Canvas:
    """The place for a chart.

    Attributes:
        name: the CSS class of the drawing, which shows it on a screen of its width.
        width: in pixels, with axes and labels.
        panels: how many panels of a chart stand side by side.
        legend_columns: how many entries of a legend stand side by side.
        label: the largest width of a label, in pixels.
        letters: how many letters of a name are shown.
        ticks: how many ticks an axis of numbers has, about.
    """

    name: str
    width: int
    panels: int
    legend_columns: int
    label: int
    letters: int
    ticks: int


# A chart is drawn once for a page and once for a phone, so that its text keeps its size.
WIDE = Canvas("wide", width=760, panels=3, legend_columns=4, label=210, letters=28, ticks=8)
NARROW = Canvas("narrow", width=350, panels=2, legend_columns=2, label=125, letters=15, ticks=4)
FONT_SIZE = 12


def _config(canvas: Canvas) -> dict[str, Any]:
    """Return Vega's config. Colours are CSS variables: one drawing serves light, dark and print."""
    text = {"labelFontSize": FONT_SIZE, "titleFontSize": FONT_SIZE, "titleFontWeight": "normal"}
    return {
        "background": None,
        # The reader's font may be wider than the one that labels are measured with.
        "padding": {"left": canvas.width // 30, "right": 5, "top": 5, "bottom": 5},
        "font": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
        "view": {"stroke": None},
        "axis": {
            **text,
            "labelColor": "var(--muted)",
            "titleColor": "var(--muted)",
            "gridColor": "var(--grid)",
            "domainColor": "var(--line)",
            "tickColor": "var(--line)",
            "labelLimit": canvas.label,
        },
        "legend": {
            **text,
            "labelColor": "var(--text)",
            "titleColor": "var(--muted)",
            "labelLimit": min(canvas.label, canvas.width // canvas.legend_columns - 40),
            "orient": "top",
            "columns": canvas.legend_columns,
            "columnPadding": 14,
        },
        "header": {"labelColor": "var(--text)", "labelFontSize": FONT_SIZE, "labelLimit": 150},
        "title": {"color": "var(--text)", "fontSize": 13, "anchor": "start"},
    }


def draw(chart: Callable[[Canvas], alt.TopLevelMixin], *, name: str, description: str) -> Markup:
    """Draw an Altair chart as SVG for use inside HTML, for a page and for a phone.

    Args:
        chart: Makes the chart for a canvas; its data must be inline.
        name: A name that is unique on the page. It prefixes the SVG's ids to avoid collisions.
        description: A description for readers who cannot see the chart.

    Returns:
        Two `<svg>` elements; CSS shows one of them. They were parsed and serialised again, so all
        names in them are escaped.

    Raises:
        ValueError: Vega refuses the chart.
    """
    return Markup("").join(
        _drawing(chart(canvas), canvas, f"{name}-{canvas.name}", description)
        for canvas in (WIDE, NARROW)
    )


def _drawing(chart: alt.TopLevelMixin, canvas: Canvas, name: str, description: str) -> Markup:
    with alt.data_transformers.enable("default", max_rows=None):  # drawn here, not in a browser
        specification = json.loads(chart.to_json())
    specification["config"] = _config(canvas)
    text = vl_convert.vegalite_to_svg(specification, allowed_base_urls=[])
    # The library above wrote this text, so it has no document type and no entities.
    root = ElementTree.fromstring(text)  # noqa: S314 # nosec B314
    for element in list(root.iter()):
        element.tag = element.tag.rpartition("}")[2]
        attributes = {key.rpartition("}")[2]: value for key, value in element.items()}
        if attributes.get("aria-roledescription") in _WITH_TOOLTIP and "aria-label" in attributes:
            # browsers show a title as a tooltip, without a script
            ElementTree.SubElement(element, "title").text = attributes["aria-label"]
        # The SVG is one image with a description and a table beside it, so its parts have no role.
        element.attrib = {
            key: _written(key, value, name)
            for key, value in attributes.items()
            if key != "role" and not key.startswith("aria-")
        }
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "class": canvas.name,
        "role": "img",
        "tabindex": "0",
        "aria-label": description,
        "style": f"max-width:{round(1.15 * float(root.attrib['width']))}px",
    }
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 # nosec B704


_DECIMALS = re.compile(r"-?\d+\.\d+(?!\d*e)")
_WITH_TOOLTIP = ("bar", "circle", "rule mark")


def _written(key: str, value: str, name: str) -> str:
    """Return an attribute: ids, and references to ids, with the chart's name before them.

    Coordinates are rounded to a tenth of a pixel, which halves the size of long lines.
    """
    if key == "id":
        return f"{name}-{value}"
    if key in ("d", "transform"):
        return _DECIMALS.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), value)
    return value.replace("url(#", f"url(#{name}-") if value.startswith("url(#") else value
