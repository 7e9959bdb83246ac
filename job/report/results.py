"""The sections about the chosen model: fit, decomposition, channels, response curves and budget."""

from __future__ import annotations

from typing import Any

import pandas as pd

from job.report import charts
from job.report.blocks import (
    Block,
    Figure,
    Format,
    Heading,
    Note,
    Section,
    Table,
    format_value,
    table,
)
from job.report.inputs import ReportInputs
from job.report.svg import draw

MAX_CHANNELS_OVER_TIME = charts.MAX_SERIES - 1  # all other channels together are one more series


def fit(inputs: ReportInputs) -> Section:
    """Show the actual and the fitted target over time."""
    by_date = inputs.table("decomposition_by_date")
    frame = (
        by_date.groupby("date", sort=True)[["actual", "predicted"]]
        .first()
        .reset_index()
        .rename(columns={"predicted": "fitted"})
    )
    frame["date"] = pd.to_datetime(frame["date"])
    days = frame["date"].dt.strftime("%Y-%m-%d")
    frame["tooltip"] = [
        f"{day}; actual {format_value(actual, 'money')}; fitted {format_value(fitted, 'money')}"
        for day, actual, fitted in zip(days, frame["actual"], frame["fitted"], strict=True)
    ]
    metrics = inputs.metrics
    values = [
        f"R² {format_value(metrics.get('rsq_train'), 'ratio')}",
        f"NRMSE {format_value(metrics.get('nrmse_train'), 'number')}",
    ]
    for part in ("val", "test"):
        if metrics.get(f"rsq_{part}") is not None:
            name = "validation" if part == "val" else "test"
            values.append(f"R² of the {name} rows {format_value(metrics[f'rsq_{part}'], 'ratio')}")
    caption = (
        f"{inputs.config.target.column} per {inputs.period}, {len(frame)} rows: "
        f"{', '.join(values)}."
    )
    numbers = table(
        frame.assign(day=days),
        {
            "day": (inputs.period, "text"),
            "actual": ("actual", "money"),
            "fitted": ("fitted", "money"),
        },
    )
    svg = draw(charts.fit(frame), name="fit", description=f"Actual and fitted target. {caption}")
    return Section("fit", "Fit over time", [Figure(svg, caption, numbers)])


def decomposition(inputs: ReportInputs) -> Section:
    """Show the contribution of each component, in total and over time."""
    parts = inputs.components
    frame = pd.DataFrame(
        {
            "component": parts["component"],
            "kind": parts["group"],
            "share": parts["contribution_share"],
            "label": [format_value(share, "percent") for share in parts["contribution_share"]],
            "tooltip": [
                f"{name}; {format_value(share, 'percent')}; {format_value(total, 'money')}"
                for name, share, total in zip(
                    parts["component"],
                    parts["contribution_share"],
                    parts["contribution"],
                    strict=True,
                )
            ],
        }
    )
    media = parts.loc[parts["group"] == "paid", "contribution_share"].sum()
    caption = (
        "Each component's share of the prediction over the modelling window. Paid channels account "
        f"for {format_value(media, 'percent')}."
    )
    parts = parts.assign(
        interval=[
            "n/a"
            if pd.isna(low)
            else f"{format_value(low, 'percent')} to {format_value(high, 'percent')}"
            for low, high in zip(parts["share_low"], parts["share_high"], strict=True)
        ]
    )
    numbers = table(
        parts,
        {
            "component": ("component", "text"),
            "group": ("kind", "text"),
            "contribution": ("contribution", "money"),
            "contribution_share": ("share", "percent"),
            "interval": (_heading(inputs), "text"),
            "coefficient": ("coefficient", "number"),
        },
    )
    svg = draw(charts.shares(frame), name="shares", description=caption)
    return Section(
        "decomposition",
        "Decomposition by channel",
        [Figure(svg, caption, numbers), _over_time(inputs)],
    )


def _over_time(inputs: ReportInputs) -> Figure:
    """Return a chart of baseline, context, organic and the largest channels, stacked over time."""
    by_date = inputs.table("decomposition_by_date")
    groups = inputs.components.set_index("variable")["group"]
    largest = inputs.paid.nlargest(MAX_CHANNELS_OVER_TIME, "contribution")["component"].tolist()
    group = by_date["variable"].map(groups).fillna("baseline")
    channel = by_date["channel"].where(by_date["channel"].isin(largest), "other channels")
    frame = pd.DataFrame(
        {
            "date": pd.to_datetime(by_date["date"]),
            # A channel may have the name of a group; the trailing space keeps them separate.
            "component": channel.where(group == "paid", group + " "),
            "value": by_date["contribution"],
        }
    )
    frame = frame.groupby(["date", "component"])["value"].sum().reset_index()
    order = ["baseline ", "context ", "organic ", *largest, "other channels"]
    order = [name for name in order if name in set(frame["component"])]
    frame["rank"] = frame["component"].map({name: rank for rank, name in enumerate(order)})
    caption = f"Contributions per {inputs.period}, stacked. Negative contributions are below zero."
    svg = draw(charts.over_time(frame, order), name="overtime", description=caption)
    quarter = frame["date"].dt.to_period("Q").astype(str)
    sums = frame.groupby([quarter, "component"])["value"].sum().unstack(fill_value=0)[order]
    sums.columns = pd.RangeIndex(len(order))  # a channel may have the name of a heading
    headings: dict[Any, tuple[str, Format]] = {"date": ("quarter", "text")}
    headings |= {index: (name.strip(), "money") for index, name in enumerate(order)}
    return Figure(svg, caption, table(sums.reset_index(), headings))


def spend_and_effect(inputs: ReportInputs) -> Section:
    """Show each channel's share of spend beside its share of effect."""
    paid = inputs.paid
    rows = [
        {
            "channel": row.component,
            "measure": measure,
            "share": share,
            "label": format_value(share, "percent"),
            "tooltip": f"{row.component}; {measure} {format_value(share, 'percent')}",
        }
        for row in paid.itertuples()
        for measure, share in (
            ("share of spend", row.spend_share),
            ("share of effect", row.effect_share),
        )
    ]
    caption = (
        "A channel whose effect bar is longer than its spend bar returns more than its share of "
        "spend. DECOMP.RSSD, the distance between the two shares, is "
        f"{format_value(inputs.metrics.get('decomp_rssd'), 'number')}."
    )
    svg = draw(charts.spend_and_effect(pd.DataFrame(rows)), name="effect", description=caption)
    return Section(
        "effect", "Share of spend and share of effect", [Figure(svg, caption, _channels(inputs))]
    )


def returns(inputs: ReportInputs) -> Section:
    """Show ROAS or CPA per channel, with intervals."""
    paid, field = inputs.paid, "roas" if inputs.is_revenue else "cpa"
    frame = pd.DataFrame(
        {
            "channel": paid["component"],
            "value": paid[field],
            "low": paid["interval_low"],
            "high": paid["interval_high"],
        }
    )
    frame["label"] = [format_value(value, "ratio") for value in frame["value"]]
    frame["tooltip"] = [
        f"{row.channel}; {inputs.measure} {row.label}; {_interval(row.low, row.high)}"
        for row in frame.itertuples()
    ]
    unit = "revenue per unit of spend" if inputs.is_revenue else "spend per conversion"
    caption = f"{inputs.measure}: {unit} in the modelling window. The dot is the chosen model."
    blocks: list[Block] = []
    known = frame.dropna(subset=["value"])
    if known.empty:
        blocks.append(Note(f"No channel has a {inputs.measure} in the chosen model.", "missing"))
    else:
        svg = draw(charts.returns(known, title=inputs.measure), name="returns", description=caption)
        blocks.append(Figure(svg, caption))
    without = frame.loc[frame["value"].isna(), "channel"].tolist()
    if without and not known.empty:
        blocks.append(Note(f"No {inputs.measure} for {', '.join(without)}: no spend or no effect."))
    if frame[["low", "high"]].isna().any(axis=1).all():
        blocks.append(
            Note(
                "No ranges: `outputs.intervals.method` is none, or too few models are similar.",
                "missing",
            )
        )
    else:
        blocks.append(Note(_about_intervals(inputs)))
    blocks.append(_channels(inputs))
    return Section("returns", f"{inputs.measure} by channel", blocks)


def _level(inputs: ReportInputs) -> str:
    return f"{100 * inputs.metrics['intervals']['level']:g} %"


def _heading(inputs: ReportInputs) -> str:
    return {"cluster": "similar models", "bootstrap": "refits"}.get(
        inputs.metrics["intervals"]["method"], "range"
    )


def _about_intervals(inputs: ReportInputs) -> str:
    """Explain what the intervals measure and what they do not."""
    intervals = inputs.metrics["intervals"]
    if intervals["method"] == "bootstrap":
        return (
            f"The bar holds {_level(inputs)} of {intervals['draws']} refits of the chosen model to "
            f"resampled blocks of {intervals['block']} periods. It shows how much the figures "
            "depend on noise, given the model's adstock, saturation and penalty. "
            f"{_no_interval(inputs)}"
        )
    return (
        f"The bar is the range of the mean among the models in the chosen model's cluster "
        f"(bootstrap, {_level(inputs)}). It shows how similar these models are; the chosen model "
        f"may be outside it. {_no_interval(inputs)}"
    )


def _no_interval(inputs: ReportInputs) -> str:
    return (
        f"It is no interval of the true {inputs.measure}: in simulated markets, such bars held the "
        "truth in about half of the cases. The intervals of the posterior are made for that."
    )


def _channels(inputs: ReportInputs) -> Table:
    """Return the table of the channels' figures."""
    frame = inputs.paid.copy()
    frame["interval"] = [
        _interval(low, high)
        for low, high in zip(frame["interval_low"], frame["interval_high"], strict=True)
    ]
    return table(
        frame,
        {
            "component": ("channel", "text"),
            "spend": ("spend", "money"),
            "contribution": ("contribution", "money"),
            "spend_share": ("share of spend", "percent"),
            "effect_share": ("share of effect", "percent"),
            "roas" if inputs.is_revenue else "cpa": (inputs.measure, "ratio"),
            "interval": (_heading(inputs), "text"),
            "carryover_share": ("carry-over", "percent"),
        },
    )


def _interval(low: Any, high: Any) -> str:
    if pd.isna(low):
        return "no range"
    if pd.isna(high):
        return f"{format_value(low, 'ratio')} or more"
    return f"{format_value(low, 'ratio')} to {format_value(high, 'ratio')}"


def response(inputs: ReportInputs) -> Section:
    """Show the response curves of paid and organic channels."""
    title = "Response curves"
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
                f"{name}; mean input {format_value(x, 'money')}; "
                f"mean response {format_value(y, 'money')}"
                for name, x, y in zip(
                    media["component"], media["mean_input"], media["mean_response"], strict=True
                )
            ],
        }
    ).dropna(subset=["input", "response"])
    caption = (
        f"Response per {inputs.period} to the input per {inputs.period} after carry-over. The "
        "input is spend for paid channels, and the column's own unit for organic channels. The dot "
        "is the mean of the modelling window; it is off the curve if the input comes in bursts. "
        "The dashed part is beyond the largest input in the data."
    )
    axis = f"{'revenue' if inputs.is_revenue else 'conversions'} per {inputs.period}"
    svg = draw(charts.curves(lines, means, title=axis), name="curves", description=caption)
    numbers = table(
        means,
        {
            "channel": ("channel", "text"),
            "input": (f"mean input per {inputs.period}", "money"),
            "response": (f"mean response per {inputs.period}", "money"),
        },
    )
    return Section("response", title, [Figure(svg, caption, numbers)])


def allocation(inputs: ReportInputs) -> Section:
    """Show the budget allocator's proposal for each scenario."""
    rows = inputs.table("allocation")
    title = "Budget allocation"
    if rows.empty:
        text = (
            "The budget allocator has no result: the config has no scenario, or no scenario has a "
            "solution."
        )
        return Section("allocation", title, [Note(text, "missing")])
    blocks: list[Block] = []
    for number, of_scenario in rows.groupby("scenario_number", sort=True):
        blocks += _scenario(inputs, int(str(number)), of_scenario)
    return Section("allocation", title, blocks)


def _scenario(inputs: ReportInputs, number: int, rows: pd.DataFrame) -> list[Block]:
    scenario = {
        "max_response": "Maximum response for the same budget",
        "target_efficiency": f"Maximum response at a target {inputs.measure}",
    }.get(rows["scenario"].iloc[0], rows["scenario"].iloc[0])
    rows = rows.assign(name=rows["channel"].fillna(rows["variable"]))
    frame = pd.DataFrame(
        [
            {
                "channel": row.name,
                "measure": measure,
                "spend": spend,
                "label": format_value(spend, "money"),
                "tooltip": f"{row.name}; {measure} {format_value(spend, 'money')} "
                f"per {inputs.period}",
            }
            for row in rows[["name", "spend_now", "spend_optimal"]].itertuples(index=False)
            for measure, spend in (("current", row.spend_now), ("proposed", row.spend_optimal))
        ]
    )
    current, proposed = rows["response_now"].sum(), rows["response_optimal"].sum()
    change = format_value(proposed / current - 1, "percent") if current else "n/a"
    target = rows["target_value"].iloc[0]
    caption = (
        f"Spend per {inputs.period}: {format_value(rows['spend_now'].sum(), 'money')} current, "
        f"{format_value(rows['spend_optimal'].sum(), 'money')} proposed. The modelled response "
        f"changes by {change}."
        + ("" if pd.isna(target) else f" Target {inputs.measure}: {format_value(target, 'ratio')}.")
    )
    name = f"allocation{number}"
    numbers = table(
        rows,
        {
            "name": ("channel", "text"),
            "spend_now": ("current spend", "money"),
            "spend_optimal": ("proposed spend", "money"),
            "lower_bound": ("lower bound", "money"),
            "upper_bound": ("upper bound", "money"),
            "response_now": ("current response", "money"),
            "response_optimal": ("proposed response", "money"),
        },
    )
    blocks: list[Block] = [
        Heading(scenario),
        Figure(draw(charts.allocation(frame), name=name, description=caption), caption, numbers),
    ]
    if not bool(rows["is_feasible"].all()):
        text = "No allocation within the bounds meets the target; this is the closest one."
        blocks.append(Note(text, "warning"))
    return blocks
