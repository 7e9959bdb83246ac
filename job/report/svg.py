"""Draw charts as inline SVG, so the page needs no script, font or network to show them."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import altair as alt
import vl_convert
from markupsafe import Markup

# Colours are CSS variables: one drawing serves light, dark and print.
_CONFIG: dict[str, Any] = {
    "background": None,
    "font": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "titleColor": "var(--muted)",
        "gridColor": "var(--grid)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 240,
    },
    "legend": {
        "labelColor": "var(--text)",
        "titleColor": "var(--muted)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 240,
        "orient": "top",
        "columns": 8,
        "columnPadding": 22,
    },
    "header": {"labelColor": "var(--text)", "labelFontSize": 12, "titleColor": "var(--muted)"},
    "title": {"color": "var(--text)", "fontSize": 13, "anchor": "start"},
}


def draw(chart: alt.TopLevelMixin, *, name: str, description: str) -> Markup:
    """Draw an Altair chart as SVG for use inside HTML.

    Args:
        chart: The chart; its data must be inline.
        name: A name that is unique on the page. It prefixes the SVG's ids to avoid collisions.
        description: A description for readers who cannot see the chart.

    Returns:
        An `<svg>` element. It was parsed and serialised again, so all names in it are escaped.

    Raises:
        ValueError: Vega refuses the chart.
    """
    with alt.data_transformers.enable("default", max_rows=None):  # drawn here, not in a browser
        specification = json.loads(chart.to_json())
    specification["config"] = _CONFIG
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
            key: _prefixed(key, value, name)
            for key, value in attributes.items()
            if key != "role" and not key.startswith("aria-")
        }
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-label": description,
        "style": f"max-width:{root.attrib['width']}px",
    }
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 # nosec B704


_WITH_TOOLTIP = ("bar", "circle", "rule mark")


def _prefixed(key: str, value: str, name: str) -> str:
    """Prefix ids, and references to ids, with the chart's name."""
    if key == "id":
        return f"{name}-{value}"
    return value.replace("url(#", f"url(#{name}-") if value.startswith("url(#") else value
