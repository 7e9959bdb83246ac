"""Build Altair charts from small frames, each for a canvas.

The names of channels and markets are untrusted input. They appear only as data, never as a field
name, a title or an expression, so Vega does not interpret them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import altair as alt
import pandas as pd

from job.report.svg import FONT_SIZE, Canvas

KIND_COLOURS = {
    "paid": "var(--paid)",
    "organic": "var(--organic)",
    "context": "var(--context)",
    "baseline": "var(--base)",
}
SERIES = tuple(f"var(--s{n})" for n in range(1, 11))
OTHERS = "var(--soft)"  # all channels that are not drawn one by one
_LABEL_WIDTH = 7.5  # pixels of a character of a value beside a bar, at most


def fit(canvas: Canvas, frame: pd.DataFrame, *, unit: str) -> alt.TopLevelMixin:
    """Draw actual against fitted target.

    Args:
        canvas: where it is drawn.
        frame: one row per period: `date`, `actual`, `fitted`, `tooltip`.
        unit: the unit of the target.
    """
    long = frame.melt(["date"], ["actual", "fitted"], "series", "value")
    lines = (
        alt.Chart(long)
        .mark_line(strokeWidth=1.8)
        .encode(
            x=_date_axis(canvas),
            y=alt.Y("value:Q", title=unit, scale=alt.Scale(zero=False), axis=money_axis(canvas)),
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
    return _sized(canvas, alt.layer(lines, _hover(canvas, frame)), 260)


def shares(canvas: Canvas, frame: pd.DataFrame) -> alt.TopLevelMixin:
    """Draw each component's share of the target as bars.

    Args:
        canvas: where it is drawn.
        frame: `component`, `kind` (paid, organic, context, baseline), `share`, `label`, `tooltip`,
            in the order of drawing.
    """
    bars = (
        alt.Chart(frame)
        .mark_bar(height={"band": 0.7})
        .encode(
            x=alt.X(
                "share:Q",
                title="share of the prediction",
                axis=percent_axis(canvas),
                scale=_room_for_labels(canvas, frame["share"], frame["label"]),
            ),
            y=alt.Y("component:N", title=None, sort=None, axis=_names(canvas)),
            color=alt.Color("kind:N", title=None, scale=_colour_scale(KIND_COLOURS)),
            description="tooltip:N",
        )
    )
    labels = (
        alt.Chart(frame)
        .mark_text(align="left", dx=5, fontSize=FONT_SIZE, fill="var(--text)")
        .encode(x=alt.X("end:Q"), y=alt.Y("component:N", sort=None), text=alt.Text("label:N"))
        .transform_calculate(end="max(datum.share, 0)")
    )
    return _sized(canvas, alt.layer(bars, labels), alt.Step(26))


def over_time(
    canvas: Canvas, frame: pd.DataFrame, colours: Mapping[str, str], *, unit: str
) -> alt.TopLevelMixin:
    """Draw the contributions of a few components stacked over time.

    Args:
        canvas: where it is drawn.
        frame: `date`, `component`, `rank`, `value`.
        colours: the colour of each component, from bottom to top.
        unit: the unit of the target.
    """
    return _sized(
        canvas,
        alt.Chart(frame)
        .mark_area(interpolate="step-after", opacity=1)
        .encode(
            x=_date_axis(canvas),
            y=alt.Y("value:Q", title=unit, stack="zero", axis=money_axis(canvas)),
            color=alt.Color(
                "component:N",
                title=None,
                sort=None,
                scale=_colour_scale(dict(colours)),
                legend=alt.Legend(labelExpr=_shortened("datum.label", canvas.letters)),
            ),
            order=alt.Order("rank:Q"),
        ),
        280,
    )


def pairs(
    canvas: Canvas,
    frame: pd.DataFrame,
    *,
    measures: tuple[str, str],
    title: str,
    axis: Callable[[Canvas], alt.Axis],
) -> alt.TopLevelMixin:
    """Draw two bars for each channel: what there is, and what to compare it with.

    Args:
        canvas: where it is drawn.
        frame: `channel`, `measure`, `value`, `label`, `tooltip`.
        measures: the two measures, from top to bottom.
        title: the title of the axis.
        axis: makes the axis of the values, e.g. `money_axis`.
    """
    colours = dict(zip(measures, ("var(--soft)", "var(--accent)"), strict=True))
    base = alt.Chart(frame).encode(
        y=alt.Y("channel:N", title=None, sort=None, axis=_names(canvas)),
        yOffset=alt.YOffset("measure:N", sort=list(colours)),
    )
    scale = _room_for_labels(canvas, frame["value"], frame["label"])
    bars = base.mark_bar().encode(
        x=alt.X("value:Q", title=title, axis=axis(canvas), scale=scale),
        color=alt.Color("measure:N", title=None, scale=_colour_scale(colours)),
        description="tooltip:N",
    )
    labels = base.mark_text(align="left", dx=4, fontSize=FONT_SIZE, fill="var(--text)").encode(
        x="value:Q", text="label:N"
    )
    return _sized(canvas, alt.layer(bars, labels), alt.Step(18))


def returns(
    canvas: Canvas, frame: pd.DataFrame, *, title: str, break_even: float | None = None
) -> alt.TopLevelMixin:
    """Draw ROAS or CPA per channel, with an interval where there is one.

    Args:
        canvas: where it is drawn.
        frame: `channel`, `value`, `low`, `high` (missing without an interval), `label`, `tooltip`.
        title: the measure and its unit.
        break_even: a value to mark with a line, if any.
    """
    y = alt.Y("channel:N", title=None, sort=None, axis=_names(canvas))
    axis = number_axis(canvas)
    spans = (
        alt.Chart(frame.dropna(subset=["low", "high"]))
        .mark_rule(strokeWidth=4, stroke="var(--soft)")
        .encode(
            x=alt.X("low:Q", title=title, axis=axis),
            x2="high:Q",
            y=y,
            description="tooltip:N",
        )
    )
    points = (
        alt.Chart(frame)
        .mark_circle(size=90, color="var(--accent)", opacity=1)
        .encode(
            x=alt.X("value:Q", title=title, scale=alt.Scale(zero=True), axis=axis),
            y=y,
            description="tooltip:N",
        )
    )
    labels = (
        alt.Chart(frame)
        .mark_text(align="center", dy=-12, fontSize=FONT_SIZE, fill="var(--text)")
        .encode(x="value:Q", y=y, text="label:N")
    )
    layers = [spans, points, labels]
    if break_even is not None:
        line = alt.Chart(pd.DataFrame({"value": [break_even]}))
        layers.insert(
            0,
            line.mark_rule(stroke="var(--muted)", strokeDash=[4, 3], aria=False).encode(
                x="value:Q"
            ),
        )
    return _sized(canvas, alt.layer(*layers), alt.Step(40))


def curves(
    canvas: Canvas, lines: pd.DataFrame, points: pd.DataFrame, *, title: str
) -> alt.TopLevelMixin:
    """Draw each channel's response curve in a panel of its own.

    Args:
        canvas: where it is drawn.
        lines: `channel`, `rank`, `input`, `response`, `part` (observed, extrapolated).
        points: the mean input and response of each channel: the same columns without `part`, and
            `tooltip`.
        title: the unit of the response.
    """
    both = pd.concat([lines.assign(tooltip=""), points.assign(part="mean")], ignore_index=True)
    base = alt.Chart().encode(
        x=alt.X("input:Q", title=None, axis=alt.Axis(format="~s", tickCount=3)),
        y=alt.Y("response:Q", title=None, axis=alt.Axis(format="~s", tickCount=3)),
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
        width=canvas.width // canvas.panels - 58, height=120
    )
    faceted: alt.TopLevelMixin = layered.facet(
        facet=alt.Facet(
            "channel:N",
            title=None,
            sort=alt.EncodingSortField(field="rank", op="min"),
            header=alt.Header(
                labelFontWeight="bold",
                labelAnchor="start",
                labelExpr=_shortened("datum.label", canvas.letters),
            ),
        ),
        columns=canvas.panels,
        title=alt.Title(title, fontWeight="normal", color="var(--muted)", fontSize=12),
    ).resolve_scale(x="independent", y="independent")
    return faceted


def pareto(canvas: Canvas, frame: pd.DataFrame) -> alt.TopLevelMixin:
    """Draw the models as points of NRMSE and DECOMP.RSSD.

    Args:
        canvas: where it is drawn.
        frame: `nrmse`, `rssd`, `kind` (model, candidate, cluster winner, chosen), `tooltip`.
    """
    axis = number_axis(canvas)
    axes = {
        "x": alt.X("nrmse:Q", title="NRMSE", scale=alt.Scale(zero=False), axis=axis),
        "y": alt.Y("rssd:Q", title="DECOMP.RSSD", scale=alt.Scale(zero=False), axis=axis),
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
        .mark_square(size=7, opacity=1, aria=False)
        .encode(**axes, color=legend)
    ]
    for kind, size in (("candidate", 36), ("cluster winner", 80), ("chosen", 150)):
        of_kind = alt.Chart(frame[frame["kind"] == kind])
        layers.append(
            of_kind.mark_circle(size=size, opacity=1).encode(
                **axes, color=legend, description="tooltip:N"
            )
        )
    return _sized(canvas, alt.layer(*layers), 320)


def convergence(canvas: Canvas, frame: pd.DataFrame) -> alt.TopLevelMixin:
    """Draw the errors over the iterations of the search.

    Args:
        canvas: where it is drawn.
        frame: `measure` (NRMSE, DECOMP.RSSD), `iteration`, `low`, `median`, `high`.
    """
    panels = []
    for measure in ("NRMSE", "DECOMP.RSSD"):
        base = alt.Chart(frame[frame["measure"] == measure]).encode(
            x=alt.X("iteration:Q", title="iteration", axis=alt.Axis(tickCount=canvas.ticks))
        )
        y = alt.Y("low:Q", title=measure, scale=alt.Scale(zero=False))
        band = base.mark_area(
            color="var(--soft)", fillOpacity=0.4, stroke="var(--soft)", strokeWidth=1
        ).encode(y=y, y2="high:Q")
        line = base.mark_line(color="var(--accent)", strokeWidth=2).encode(y="median:Q")
        panels.append(alt.layer(band, line).properties(width=300, height=180))
    return alt.concat(*panels, columns=canvas.panels - 1)


def _sized(canvas: Canvas, chart: Any, height: float | alt.Step) -> alt.TopLevelMixin:
    """Fit a chart, with its axes and labels, into the canvas."""
    fit = alt.AutoSizeParams(type="fit-x", contains="padding")
    sized: alt.TopLevelMixin = chart.properties(width=canvas.width, height=height, autosize=fit)
    return sized


def _names(canvas: Canvas) -> alt.Axis:
    return alt.Axis(labelExpr=_shortened("datum.label", canvas.letters))


def _shortened(text: str, letters: int) -> str:
    """Return an expression for a name without its middle: names often differ at their ends."""
    half = letters // 2
    short = f"slice({text}, 0, {half}) + '…' + slice({text}, -{half})"
    return f"length({text}) > {letters} ? {short} : {text}"


def _room_for_labels(canvas: Canvas, values: Any, labels: Any) -> alt.Scale:
    """Return a scale whose longest bar leaves room for the value beside it."""
    longest = max(len(str(label)) for label in labels) * _LABEL_WIDTH
    drawn = max(60.0, canvas.width - canvas.label)
    most = max(float(values.max()), 0.0) or 1.0
    least = min(float(values.min()), 0.0)
    return alt.Scale(domain=[least, most * drawn / max(drawn - longest, drawn / 3)], nice=False)


def _date_axis(canvas: Canvas) -> alt.X:
    axis = alt.Axis(format="%b %Y", labelOverlap=True, tickCount=canvas.ticks)
    return alt.X("date:T", title=None, axis=axis)


def money_axis(canvas: Canvas) -> alt.Axis:
    """Return an axis of amounts, e.g. 200k."""
    return alt.Axis(format="~s", tickCount=canvas.ticks)


def number_axis(canvas: Canvas) -> alt.Axis:
    """Return an axis of plain numbers."""
    return alt.Axis(tickCount=canvas.ticks)


def percent_axis(canvas: Canvas) -> alt.Axis:
    """Return an axis of shares, e.g. 20%."""
    return alt.Axis(format="~%", tickCount=canvas.ticks)


def _colour_scale(colours: dict[str, str]) -> alt.Scale:
    return alt.Scale(domain=list(colours), range=list(colours.values()))


def _hover(canvas: Canvas, frame: pd.DataFrame) -> alt.Chart:
    """Return invisible lines that carry the tooltips: one per period, at least 3 pixels apart."""
    shown = frame.iloc[:: max(1, math.ceil(3 * len(frame) / canvas.width))]
    width = max(2.0, canvas.width / max(1, len(shown)))
    lines: alt.Chart = (
        alt.Chart(shown)
        .mark_rule(opacity=0, strokeWidth=width)
        .encode(x=_date_axis(canvas), description="tooltip:N")
    )
    return lines
