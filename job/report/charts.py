"""Build Altair charts from small frames.

The names of channels and markets are untrusted input. They appear only as data, never as a field
name, a title or an expression, so Vega does not interpret them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

WIDTH = 900
_KIND_COLOURS = {
    "paid": "var(--paid)",
    "organic": "var(--organic)",
    "context": "var(--context)",
    "baseline": "var(--base)",
}
_SERIES = [f"var(--s{n})" for n in range(1, 9)]
MAX_SERIES = len(_SERIES)


def fit(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """Draw actual against fitted target.

    Args:
        frame: one row per period: `date`, `actual`, `fitted`, `tooltip`.
    """
    long = frame.melt(["date"], ["actual", "fitted"], "series", "value")
    lines = (
        alt.Chart(long)
        .mark_line(strokeWidth=1.8)
        .encode(
            x=_date_axis(),
            y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=_money_axis()),
            color=alt.Color(
                "series:N",
                title=None,
                scale=alt.Scale(domain=["actual", "fitted"], range=["var(--actual)", "var(--fit)"]),
            ),
            strokeDash=alt.StrokeDash(
                "series:N",
                title=None,
                scale=alt.Scale(domain=["actual", "fitted"], range=[[1, 0], [5, 2]]),
            ),
        )
    )
    return _sized(alt.layer(lines, _hover(frame)), 280)


def shares(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """Draw each component's share of the target as bars.

    Args:
        frame: `component`, `kind` (paid, organic, context, baseline), `share`, `label`, `tooltip`,
            in the order of drawing.
    """
    bars = (
        alt.Chart(frame)
        .mark_bar(height={"band": 0.7})
        .encode(
            x=alt.X("share:Q", title="share of the prediction", axis=_percent_axis()),
            y=alt.Y("component:N", title=None, sort=None),
            color=alt.Color("kind:N", title=None, scale=_colour_scale(_KIND_COLOURS)),
            description="tooltip:N",
        )
    )
    labels = (
        alt.Chart(frame)
        .mark_text(align="left", dx=5, fontSize=12, fill="var(--text)")
        .encode(x=alt.X("end:Q"), y=alt.Y("component:N", sort=None), text=alt.Text("label:N"))
        .transform_calculate(end="max(datum.share, 0)")
    )
    return _sized(alt.layer(bars, labels), alt.Step(26))


def over_time(frame: pd.DataFrame, order: Sequence[str]) -> alt.TopLevelMixin:
    """Draw the contributions of a few components stacked over time.

    Args:
        frame: `date`, `component`, `rank`, `value`.
        order: the components from bottom to top: the groups `baseline `, `context ` and
            `organic ` (with a trailing space), and at most `MAX_SERIES` others.
    """
    groups = {
        "baseline ": "var(--base)",
        "context ": "var(--context)",
        "organic ": "var(--organic)",
    }
    series = iter(_SERIES)
    colours = [groups.get(name) or next(series) for name in order]
    return _sized(
        alt.Chart(frame)
        .mark_area(interpolate="step-after", opacity=0.9)
        .encode(
            x=_date_axis(),
            y=alt.Y("value:Q", title=None, stack="zero", axis=_money_axis()),
            color=alt.Color(
                "component:N",
                title=None,
                sort=None,
                scale=alt.Scale(domain=list(order), range=colours),
            ),
            order=alt.Order("rank:Q"),
        ),
        280,
    )


def spend_and_effect(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """Draw each channel's share of spend beside its share of the effect of all paid channels.

    Args:
        frame: `channel`, `measure` (share of spend, share of effect), `share`, `label`, `tooltip`.
    """
    colours = {"share of spend": "var(--soft)", "share of effect": "var(--accent)"}
    base = alt.Chart(frame).encode(
        y=alt.Y("channel:N", title=None, sort=None),
        yOffset=alt.YOffset("measure:N", sort=list(colours)),
    )
    bars = base.mark_bar().encode(
        x=alt.X("share:Q", title="share of all paid channels", axis=_percent_axis()),
        color=alt.Color("measure:N", title=None, scale=_colour_scale(colours)),
        description="tooltip:N",
    )
    labels = base.mark_text(align="left", dx=4, fontSize=11, fill="var(--text)").encode(
        x="share:Q", text="label:N"
    )
    return _sized(alt.layer(bars, labels), alt.Step(17))


def returns(frame: pd.DataFrame, *, title: str) -> alt.TopLevelMixin:
    """Draw ROAS or CPA per channel, with an interval where there is one.

    Args:
        frame: `channel`, `value`, `low`, `high` (missing without an interval), `label`, `tooltip`.
        title: the measure, ROAS or CPA.
    """
    y = alt.Y("channel:N", title=None, sort=None)
    spans = (
        alt.Chart(frame.dropna(subset=["low", "high"]))
        .mark_rule(strokeWidth=3, stroke="var(--soft)")
        .encode(
            x=alt.X("low:Q", title=title, axis=_number_axis()),
            x2="high:Q",
            y=y,
            description="tooltip:N",
        )
    )
    points = (
        alt.Chart(frame)
        .mark_circle(size=90, color="var(--accent)", opacity=1)
        .encode(
            x=alt.X("value:Q", title=title, scale=alt.Scale(zero=True)),
            y=y,
            description="tooltip:N",
        )
    )
    labels = (
        alt.Chart(frame)
        .mark_text(align="center", dy=-11, fontSize=12, fill="var(--text)")
        .encode(x="value:Q", y=y, text="label:N")
    )
    return _sized(alt.layer(spans, points, labels), alt.Step(40))


def curves(lines: pd.DataFrame, points: pd.DataFrame, *, title: str) -> alt.TopLevelMixin:
    """Draw each channel's response curve in a panel of its own.

    Args:
        lines: `channel`, `rank`, `input`, `response`, `part` (observed, extrapolated).
        points: the mean input and response of each channel: the same columns without `part`, and
            `tooltip`.
        title: the unit of the response.
    """
    both = pd.concat([lines.assign(tooltip=""), points.assign(part="mean")], ignore_index=True)
    base = alt.Chart().encode(
        x=alt.X("input:Q", title=None, axis=alt.Axis(format="~s", tickCount=4)),
        y=alt.Y("response:Q", title=None, axis=alt.Axis(format="~s", tickCount=4)),
    )
    observed, extrapolated = (
        base.mark_line(color="var(--accent)", strokeWidth=2, strokeDash=dash).transform_filter(
            alt.datum.part == part
        )
        for part, dash in (("observed", [1, 0]), ("extrapolated", [4, 3]))
    )
    point = (
        base.mark_circle(size=80, color="var(--accent2)", opacity=1)
        .encode(description="tooltip:N")
        .transform_filter(alt.datum.part == "mean")
    )
    layered: Any = alt.layer(observed, extrapolated, point, data=both).properties(
        width=245, height=150
    )
    faceted: alt.TopLevelMixin = layered.facet(
        facet=alt.Facet(
            "channel:N",
            title=None,
            sort=alt.EncodingSortField(field="rank", op="min"),
            header=alt.Header(labelFontWeight="bold", labelAnchor="start"),
        ),
        columns=3,
        title=alt.Title(title, fontWeight="normal", color="var(--muted)", fontSize=12),
    ).resolve_scale(x="independent", y="independent")
    return faceted


def pareto(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """Draw the models as points of NRMSE and DECOMP.RSSD.

    Args:
        frame: `nrmse`, `rssd`, `kind` (model, candidate, cluster winner, chosen), `tooltip`.
    """
    axes = {
        "x": alt.X("nrmse:Q", title="NRMSE", scale=alt.Scale(zero=False), axis=_number_axis()),
        "y": alt.Y("rssd:Q", title="DECOMP.RSSD", scale=alt.Scale(zero=False), axis=_number_axis()),
    }
    colours = {
        "model": "var(--soft)",
        "candidate": "var(--accent)",
        "cluster winner": "var(--organic)",
        "chosen": "var(--accent2)",
    }
    legend = alt.Color(
        "kind:N",
        title=None,
        scale=_colour_scale(colours),
        legend=alt.Legend(symbolOpacity=1, symbolType="circle"),
    )
    # The many models that are not candidates are squares, which need a tenth of the bytes.
    layers = [
        alt.Chart(frame[frame["kind"] == "model"])
        .mark_square(size=6, opacity=0.6, aria=False)
        .encode(**axes, color=legend)
    ]
    for kind, size in (("candidate", 36), ("cluster winner", 80), ("chosen", 150)):
        of_kind = alt.Chart(frame[frame["kind"] == kind])
        layers.append(
            of_kind.mark_circle(size=size, opacity=0.9).encode(
                **axes, color=legend, description="tooltip:N"
            )
        )
    return _sized(alt.layer(*layers), 340)


def allocation(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """Draw each channel's current spend beside the spend that the allocator proposes.

    Args:
        frame: `channel`, `measure` (current, proposed), `spend`, `label`, `tooltip`.
    """
    colours = {"current": "var(--soft)", "proposed": "var(--accent)"}
    base = alt.Chart(frame).encode(
        y=alt.Y("channel:N", title=None, sort=None),
        yOffset=alt.YOffset("measure:N", sort=list(colours)),
    )
    bars = base.mark_bar().encode(
        x=alt.X("spend:Q", title="spend per period", axis=_money_axis()),
        color=alt.Color("measure:N", title=None, scale=_colour_scale(colours)),
        description="tooltip:N",
    )
    labels = base.mark_text(align="left", dx=4, fontSize=11, fill="var(--text)").encode(
        x="spend:Q", text="label:N"
    )
    return _sized(alt.layer(bars, labels), alt.Step(17))


def convergence(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """Draw the errors over the iterations of the search.

    Args:
        frame: `measure` (NRMSE, DECOMP.RSSD), `iteration`, `low`, `median`, `high`.
    """
    panels = []
    for measure in ("NRMSE", "DECOMP.RSSD"):
        base = alt.Chart(frame[frame["measure"] == measure]).encode(
            x=alt.X("iteration:Q", title="iteration", axis=alt.Axis(tickCount=6))
        )
        y = alt.Y("low:Q", title=measure, scale=alt.Scale(zero=False))
        band = base.mark_area(color="var(--soft)", opacity=0.5).encode(y=y, y2="high:Q")
        line = base.mark_line(color="var(--accent)", strokeWidth=2).encode(y="median:Q")
        panels.append(alt.layer(band, line).properties(width=WIDTH // 2 - 70, height=200))
    return alt.hconcat(*panels)


def _sized(chart: Any, height: float | alt.Step) -> alt.TopLevelMixin:
    sized: alt.TopLevelMixin = chart.properties(width=WIDTH, height=height)
    return sized


def _date_axis() -> alt.X:
    return alt.X("date:T", title=None, axis=alt.Axis(format="%b %Y", labelOverlap=True))


def _money_axis() -> alt.Axis:
    return alt.Axis(format="~s", tickCount=8)


def _number_axis() -> alt.Axis:
    return alt.Axis(tickCount=8)


def _percent_axis() -> alt.Axis:
    return alt.Axis(format="~%", tickCount=8)


def _colour_scale(colours: dict[str, str]) -> alt.Scale:
    return alt.Scale(domain=list(colours), range=list(colours.values()))


def _hover(frame: pd.DataFrame) -> alt.Chart:
    """Return invisible lines, one per period, that carry the tooltips."""
    width = max(2.0, WIDTH / max(1, len(frame)))
    lines: alt.Chart = (
        alt.Chart(frame)
        .mark_rule(opacity=0, strokeWidth=width)
        .encode(x=_date_axis(), description="tooltip:N")
    )
    return lines
