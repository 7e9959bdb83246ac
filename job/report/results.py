"""The sections about the chosen model: where sales come from, response curves, fit, prediction."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from job.report import charts
from job.report.blocks import (
    Block,
    Figure,
    Format,
    Note,
    Section,
    Table,
    format_value,
    table,
)
from job.report.inputs import ReportInputs
from job.report.svg import draw
from job.report.units import percent, span

MAX_CHANNELS_OVER_TIME = 7  # all other channels together are one more series


def fit(inputs: ReportInputs) -> Section:
    """Show the actual and the fitted target over time."""
    frame = inputs.by_period.rename(columns={"predicted": "fitted"})
    days = frame["date"].dt.strftime("%Y-%m-%d")
    frame["tooltip"] = [
        f"{day}; actual {inputs.units.target(actual)}; fitted {inputs.units.target(fitted)}"
        for day, actual, fitted in zip(days, frame["actual"], frame["fitted"], strict=True)
    ]
    metrics, unit = inputs.metrics, inputs.units.target_unit
    error = (frame["actual"] - frame["fitted"]).abs().mean()
    size = frame["actual"].abs().mean()
    says = (
        f"The chosen model fits past {inputs.period}s with an average error of "
        f"{percent(error / size if size else None)}."
    )
    values = [
        f"R² {format_value(metrics.get('rsq_train'), 'ratio')}",
        f"NRMSE {format_value(metrics.get('nrmse_train'), 'number')}",
    ]
    for part, name in (("val", "validation"), ("test", "test")):
        if metrics.get(f"rsq_{part}") is not None:
            values.append(f"R² of the {name} rows {format_value(metrics[f'rsq_{part}'], 'ratio')}")
    caption = (
        f"{inputs.units.label} per {inputs.period}, {len(frame)} rows: {', '.join(values)}. A "
        "close fit does not prove that the effects of the channels are right."
    )
    numbers = table(
        frame.assign(day=days),
        {
            "day": (inputs.period, "text"),
            "actual": (f"actual, {unit}", "money"),
            "fitted": (f"fitted, {unit}", "money"),
        },
    )
    svg = draw(
        partial(charts.fit, frame=frame, unit=unit),
        name="fit",
        description=f"Actual and fitted target. {caption}",
    )
    return Section("fit", "How well the model fits", [Figure(svg, says, caption, numbers)])


def prediction(inputs: ReportInputs) -> list[Section]:
    """Show how well the model predicted periods that it was not fitted to, if it was tried."""
    found: Mapping[str, Any] | None = inputs.metrics.get("validation")
    if not found:
        return []
    rows = pd.DataFrame(found["by_fold"])
    rows["period"] = [f"{a} to {b}" for a, b in zip(rows["start"], rows["end"], strict=True)]
    mean = found["mean"]
    says = (
        f"For {found['horizon']} {inputs.period}s that it had not seen, the model was off "
        f"by {percent(mean['mape'])} on average; {percent(mean['inside'])} of the {inputs.period}s "
        "were inside its 90% interval."
    )
    numbers = table(
        rows,
        {
            "period": ("predicted periods", "span"),
            "train_periods": (f"{inputs.period}s it was fitted to", "number"),
            "mape": ("average error", "percent"),
            "inside": ("inside the 90% interval", "percent"),
            "rsq": ("R²", "ratio"),
            "nrmse": ("NRMSE", "number"),
        },
    )
    about = (
        "The posterior is drawn again from the data before each row's periods "
        "(`outputs.validation`); it knows their spends, context and calendar, not their target. R² "
        "compares with the mean of the predicted periods; below 0 the mean predicts better."
    )
    blocks: list[Block] = [Note(says, "lead"), numbers, Note(about)]
    return [Section("prediction", "How well the model predicts", blocks)]


def decomposition(inputs: ReportInputs) -> Section:
    """Show the contribution of each component, in total and over time."""
    parts, units = inputs.components, inputs.units
    frame = pd.DataFrame(
        {
            "component": parts["component"],
            "kind": parts["group"],
            "share": parts["contribution_share"],
            "label": [percent(share) for share in parts["contribution_share"]],
            "tooltip": [
                f"{name}; {percent(share)}; {units.target(total)}"
                for name, share, total in zip(
                    parts["component"],
                    parts["contribution_share"],
                    parts["contribution"],
                    strict=True,
                )
            ],
        }
    )
    by_group = parts.groupby("group")["contribution_share"].sum()
    base = percent(by_group.get("baseline", 0.0))
    says = (
        f"In the chosen model, paid media bring {percent(by_group.get('paid', 0.0))} of "
        f"{units.label}; {base} would come without any media or context."
    )
    caption = "Each component's share of the prediction in the modelling window."
    if inputs.posterior:
        share = percent(inputs.posterior["total"]["share"]["median"])
        caption += (
            f" It is one model among many that fit; the estimate over all of them is {share} for "
            "paid media."
        )
    numbers = table(
        parts,
        {
            "component": ("component", "text"),
            "group": ("kind", "text"),
            "contribution": (f"contribution, {units.target_unit}", "money"),
            "contribution_share": ("share", "percent"),
            "coefficient": ("coefficient", "number"),
        },
    )
    svg = draw(partial(charts.shares, frame=frame), name="shares", description=f"{says} {caption}")
    figures = [Figure(svg, says, caption, numbers), _over_time(inputs)]
    return Section("decomposition", f"Where {units.label} comes from", figures)


def _over_time(inputs: ReportInputs) -> Figure:
    """Return a chart of baseline, context, organic and the largest channels, stacked over time."""
    by_date = inputs.table("decomposition_by_date")
    groups = inputs.components.set_index("variable")["group"]
    largest = set(inputs.paid.nlargest(MAX_CHANNELS_OVER_TIME, "contribution")["component"])
    group = by_date["variable"].map(groups).fillna("baseline")
    channel = by_date["channel"].where(by_date["channel"].isin(largest), "other channels ")
    frame = pd.DataFrame(
        {
            "date": pd.to_datetime(by_date["date"]),
            # A channel may have the name of a group; the trailing space keeps them separate.
            "component": channel.where(group == "paid", group + " "),
            "value": by_date["contribution"],
        }
    )
    frame = frame.groupby(["date", "component"])["value"].sum().reset_index()
    drawn = set(frame["component"])
    colours = {n: c for n, c in colours_over_time(inputs, largest).items() if n in drawn}
    frame["rank"] = frame["component"].map({name: rank for rank, name in enumerate(colours)})
    caption = (
        f"Contributions per {inputs.period}, stacked. Negative contributions are below zero. A "
        "channel keeps its colour from run to run."
    )
    media = frame[~frame["component"].isin(["baseline ", "context "])].groupby("date")["value"]
    peak = media.sum()
    says = (
        f"Media contributed most in the {inputs.period} of {peak.idxmax():%Y-%m-%d}, with "
        f"{inputs.units.target(float(peak.max()))}."
    )
    svg = draw(
        partial(charts.over_time, frame=frame, colours=colours, unit=inputs.units.target_unit),
        name="overtime",
        description=f"{says} {caption}",
    )
    quarter = frame["date"].dt.to_period("Q").astype(str)
    sums = frame.groupby([quarter, "component"])["value"].sum().unstack(fill_value=0)[[*colours]]
    sums.columns = pd.RangeIndex(len(colours))  # a channel may have the name of a heading
    headings: dict[Any, tuple[str, Format]] = {"date": ("quarter", "text")}
    headings |= {index: (name.strip(), "money") for index, name in enumerate(colours)}
    return Figure(svg, says, caption, table(sums.reset_index(), headings))


def colours_over_time(inputs: ReportInputs, largest: set[str]) -> dict[str, str]:
    """Return the colour of each component, from bottom to top.

    A channel's colour follows from its place in the config, not from its rank, so it stays the same
    from run to run. If two of the drawn channels share a colour, the later one gets a free one.
    """
    colours = {
        f"{group} ": charts.KIND_COLOURS[group] for group in ("baseline", "context", "organic")
    }
    taken: set[str] = set()
    for place, channel in enumerate(inputs.config.channels):
        if channel.name not in largest:
            continue
        turned = charts.SERIES[place % len(charts.SERIES) :] + charts.SERIES
        colours[channel.name] = next(colour for colour in turned if colour not in taken)
        taken.add(colours[channel.name])
    return {**colours, "other channels ": charts.OTHERS}


def spend_and_effect(inputs: ReportInputs) -> Section:
    """Show each channel's share of spend beside its share of effect."""
    measures = ("share of spend", "share of effect")
    columns = (inputs.paid[column] for column in ("component", "spend_share", "effect_share"))
    rows = [
        {
            "channel": name,
            "measure": measure,
            "value": share,
            "label": percent(share),
            "tooltip": f"{name}; {measure} {percent(share)}",
        }
        for name, *shares in zip(*columns, strict=True)
        for measure, share in zip(measures, shares, strict=True)
    ]
    gap = (inputs.paid["effect_share"] - inputs.paid["spend_share"]).fillna(0.0)
    first = inputs.paid.iloc[int(np.argmax(gap))]
    says = "A channel whose effect bar is longer than its spend bar returns more than the average"
    if gap.max() > 0:
        says += (
            f"; the clearest is {first['component']}, with {percent(first['effect_share'])} of the "
            f"effect for {percent(first['spend_share'])} of spend"
        )
    says += "."
    caption = (
        "Shares of all paid channels, by the chosen model. DECOMP.RSSD, the distance between the "
        f"two, is {format_value(inputs.metrics.get('decomp_rssd'), 'number')}; the search prefers "
        "models with a small one."
    )
    svg = draw(
        partial(
            charts.pairs,
            frame=pd.DataFrame(rows),
            measures=measures,
            title="share of all paid channels",
            axis=charts.percent_axis,
        ),
        name="effect",
        description=f"{says} {caption}",
    )
    numbers = table(
        inputs.paid,
        {
            "component": ("channel", "text"),
            "spend_share": (measures[0], "percent"),
            "effect_share": (measures[1], "percent"),
        },
    )
    figure = Figure(svg, says, caption, numbers)
    return Section("effect", "Share of spend and share of effect", [figure])


def chosen(inputs: ReportInputs) -> Section:
    """Show the chosen model's figures of each channel, with the ranges of similar models."""
    units = inputs.units
    blocks: list[Block] = [chosen_channels(inputs)]
    without = inputs.paid.loc[inputs.paid["roas" if units.is_revenue else "cpa"].isna()]
    if len(without):
        names = ", ".join(without["component"])
        blocks.append(Note(f"No {units.measure} for {names}: no spend or no effect."))
    if inputs.paid[["interval_low", "interval_high"]].isna().any(axis=1).all():
        blocks.append(
            Note(
                "No ranges: `outputs.intervals.method` is none, or too few models are similar.",
                "missing",
            )
        )
    else:
        blocks.append(Note(_about_ranges(inputs)))
    title = f"{units.measure} of the chosen model"
    return Section("chosen", title, blocks, is_appendix=True)


def _about_ranges(inputs: ReportInputs) -> str:
    """Explain what the ranges measure and what they do not."""
    intervals, measure = inputs.metrics["intervals"], inputs.units.measure
    level = f"{100 * intervals['level']:g}%"
    limit = (
        f"It is no interval of the true {measure}: in simulated markets, such ranges held the "
        "truth in about half of the cases. The intervals of the posterior are made for that."
    )
    if intervals["method"] == "bootstrap":
        return (
            f"The range of refits holds {level} of {intervals['draws']} refits of the chosen model "
            f"to resampled blocks of {intervals['block']} periods. It shows how much the figures "
            f"depend on noise, given the model's adstock, saturation and penalty. {limit}"
        )
    return (
        "The range of similar models is that of the mean among the models in the chosen model's "
        f"cluster (bootstrap, {level}). It shows how similar these models are; the chosen model "
        f"may be outside it. {limit}"
    )


def chosen_channels(inputs: ReportInputs) -> Table:
    """Return the table of the chosen model's figures."""
    frame, units = inputs.paid.copy(), inputs.units
    frame["range"] = [
        _range(low, high, is_revenue=units.is_revenue)
        for low, high in zip(frame["interval_low"], frame["interval_high"], strict=True)
    ]
    frame["shares"] = [
        "no range" if pd.isna(low) else span(low, high)
        for low, high in zip(frame["share_low"], frame["share_high"], strict=True)
    ]
    ranges = {"cluster": "similar models", "bootstrap": "refits"}.get(
        inputs.metrics["intervals"]["method"], "range"
    )
    return table(
        frame,
        {
            "component": ("channel", "text"),
            "spend": (f"spend, {units.money_unit}", "money"),
            "contribution": (f"contribution, {units.target_unit}", "money"),
            "spend_share": ("share of spend", "percent"),
            "effect_share": ("share of effect", "percent"),
            "roas" if units.is_revenue else "cpa": (units.measure, "ratio"),
            "range": (f"{units.measure}, {ranges}", "span"),
            "shares": (f"share of prediction, {ranges}", "span"),
            "carryover_share": ("carry-over", "percent"),
        },
    )


def _range(low: Any, high: Any, *, is_revenue: bool) -> str:
    if pd.isna(low):
        return "no range"
    if pd.isna(high):
        return f"{format_value(low, 'ratio')} or more"
    if low <= 0 and not is_revenue:  # nothing costs nothing: the range has no lower end
        return f"up to {format_value(high, 'ratio')}"
    return f"{format_value(low, 'ratio')} to {format_value(high, 'ratio')}"


def response(inputs: ReportInputs) -> Section:
    """Show the response curves of paid and organic channels."""
    title, units = "What more spend would bring", inputs.units
    points = inputs.table("response_curves")
    if points.empty:
        return Section("response", title, [Note("This run has no response curves.", "missing")])
    media = inputs.components[inputs.components["group"].isin(["paid", "organic"])]
    media = media.sort_values("group", ascending=False, kind="stable")
    rank = {name: index for index, name in enumerate(media["variable"])}
    names = dict(zip(media["variable"], media["component"], strict=True))
    points = points[points["variable"].isin(rank)].sort_values(["variable", "point"])
    lines = pd.DataFrame(
        {
            "channel": points["variable"].map(names),
            "rank": points["variable"].map(rank),
            "input": points["input"],
            "response": points["response"],
            "part": points["is_observed"].map({True: "observed", False: "extrapolated"}),
        }
    )
    # The dashed part starts at the end of the solid part.
    last = lines[lines["part"] == "observed"].groupby("channel", as_index=False).last()
    lines = pd.concat([lines, last.assign(part="extrapolated")], ignore_index=True)
    means = pd.DataFrame(
        {
            "channel": media["component"],
            "rank": media["variable"].map(rank),
            "input": media["mean_input"],
            "response": media["mean_response"],
            "tooltip": [
                f"{name}; mean input {units.money(x) if group == 'paid' else f'{x:,.0f}'}; "
                f"mean response {units.target(y)}"
                for name, group, x, y in zip(
                    media["component"],
                    media["group"],
                    media["mean_input"],
                    media["mean_response"],
                    strict=True,
                )
            ],
        }
    ).dropna(subset=["input", "response"])
    says = (
        "Where a curve gets flat, more spend brings little more; the dot is today's mean spend and "
        "response."
    )
    caption = (
        f"The chosen model's response per {inputs.period} ({units.target_unit}) to the input per "
        f"{inputs.period} after carry-over. The input is spend ({units.money_unit}) for paid "
        "channels, and the column's own unit for organic channels. The dot is off the curve if "
        "the input comes in bursts. The dashed part is beyond the largest input in the data."
    )
    svg = draw(
        partial(
            charts.curves,
            lines=lines,
            points=means,
            title=f"{units.target_unit} per {inputs.period}",
        ),
        name="curves",
        description=f"{says} {caption}",
    )
    numbers = table(
        means,
        {
            "channel": ("channel", "text"),
            "input": (f"mean input per {inputs.period}", "money"),
            "response": (f"mean response per {inputs.period}, {units.target_unit}", "money"),
        },
    )
    return Section("response", title, [Figure(svg, says, caption, numbers)])
