"""Sections on the chosen model: fit, decomposition, channels, response and budget."""

from __future__ import annotations

from typing import Any

import pandas as pd

from job.report import charts
from job.report.blocks import Block, Figure, Format, Heading, Note, Section, Table, in_words, table
from job.report.inputs import ReportInputs
from job.report.svg import draw

MAX_CHANNELS_OVER_TIME = charts.MAX_SERIES - 1  # the rest is one more series


def fit(inputs: ReportInputs) -> Section:
    """Show actual against fitted target over time."""
    by_date = inputs.table("decomposition_by_date")
    frame = (
        by_date.groupby("date", sort=True)[["actual", "predicted"]]
        .first()
        .reset_index()
        .rename(columns={"predicted": "fitted"})
    )
    frame["date"] = pd.to_datetime(frame["date"])
    days = frame["date"].dt.strftime("%Y-%m-%d")
    frame["tip"] = [
        f"{day}; actual {in_words(actual, 'money')}; fitted {in_words(fitted, 'money')}"
        for day, actual, fitted in zip(days, frame["actual"], frame["fitted"], strict=True)
    ]
    metrics = inputs.metrics
    values = [
        f"R² {in_words(metrics.get('rsq_train'), 'ratio')}",
        f"NRMSE {in_words(metrics.get('nrmse_train'), 'number')}",
    ]
    for part in ("val", "test"):
        if metrics.get(f"rsq_{part}") is not None:
            name = "validation" if part == "val" else "test"
            values.append(f"R² of the {name} rows {in_words(metrics[f'rsq_{part}'], 'ratio')}")
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
    """Show what each component contributed, in all and over time."""
    parts = inputs.components
    frame = pd.DataFrame(
        {
            "component": parts["component"],
            "kind": parts["group"],
            "share": parts["contribution_share"],
            "words": [in_words(share, "percent") for share in parts["contribution_share"]],
            "tip": [
                f"{name}; {in_words(share, 'percent')}; {in_words(total, 'money')}"
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
        "Each component's share of the prediction over the window; "
        f"the paid channels make {in_words(media, 'percent')}."
    )
    parts = parts.assign(
        interval=[
            "no interval"
            if pd.isna(low)
            else f"{in_words(low, 'percent')} to {in_words(high, 'percent')}"
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
    """Stack baseline, context, organic and the largest channels over time."""
    by_date = inputs.table("decomposition_by_date")
    groups = inputs.components.set_index("variable")["group"]
    largest = inputs.paid.nlargest(MAX_CHANNELS_OVER_TIME, "contribution")["component"].tolist()
    group = by_date["variable"].map(groups).fillna("baseline")
    channel = by_date["channel"].where(by_date["channel"].isin(largest), "other channels")
    frame = pd.DataFrame(
        {
            "date": pd.to_datetime(by_date["date"]),
            # A channel may be called like a group; the blank keeps them apart.
            "component": channel.where(group == "paid", group + " "),
            "value": by_date["contribution"],
        }
    )
    frame = frame.groupby(["date", "component"])["value"].sum().reset_index()
    order = ["baseline ", "context ", "organic ", *largest, "other channels"]
    order = [name for name in order if name in set(frame["component"])]
    frame["rank"] = frame["component"].map({name: rank for rank, name in enumerate(order)})
    caption = f"Contributions per {inputs.period}, stacked; what lies below zero takes away."
    svg = draw(charts.over_time(frame, order), name="overtime", description=caption)
    quarter = frame["date"].dt.to_period("Q").astype(str)
    sums = frame.groupby([quarter, "component"])["value"].sum().unstack(fill_value=0)[order]
    sums.columns = pd.RangeIndex(len(order))  # names from outside may be equal to a heading
    headings: dict[Any, tuple[str, Format]] = {"date": ("quarter", "text")}
    headings |= {index: (name.strip(), "money") for index, name in enumerate(order)}
    return Figure(svg, caption, table(sums.reset_index(), headings))


def spend_and_effect(inputs: ReportInputs) -> Section:
    """Show share of spend against share of effect."""
    paid = inputs.paid
    rows = [
        {
            "channel": row.component,
            "measure": measure,
            "share": share,
            "words": in_words(share, "percent"),
            "tip": f"{row.component}; {measure} {in_words(share, 'percent')}",
        }
        for row in paid.itertuples()
        for measure, share in (
            ("share of spend", row.spend_share),
            ("share of effect", row.effect_share),
        )
    ]
    caption = (
        "A channel whose effect bar is the longer one works harder than the money that it gets. "
        f"DECOMP.RSSD, the distance between the two, is "
        f"{in_words(inputs.metrics.get('decomp_rssd'), 'number')}."
    )
    svg = draw(charts.spend_and_effect(pd.DataFrame(rows)), name="effect", description=caption)
    return Section(
        "effect", "Share of spend and share of effect", [Figure(svg, caption, _channels(inputs))]
    )


def returns(inputs: ReportInputs) -> Section:
    """Show ROAS or CPA with intervals."""
    paid, field = inputs.paid, "roas" if inputs.is_revenue else "cpa"
    frame = pd.DataFrame(
        {
            "channel": paid["component"],
            "value": paid[field],
            "low": paid["interval_low"],
            "high": paid["interval_high"],
        }
    )
    frame["words"] = [in_words(value, "ratio") for value in frame["value"]]
    frame["tip"] = [
        f"{row.channel}; {inputs.measure} {row.words}; {_interval(row.low, row.high)}"
        for row in frame.itertuples()
    ]
    unit = "target per unit of spend" if inputs.is_revenue else "spend per unit of the target"
    caption = f"{inputs.measure}: {unit}, over the window. The dot is the chosen model."
    blocks: list[Block] = []
    known = frame.dropna(subset=["value"])
    if known.empty:
        blocks.append(Note(f"No channel has a {inputs.measure} in the chosen model.", "missing"))
    else:
        svg = draw(charts.returns(known, title=inputs.measure), name="returns", description=caption)
        blocks.append(Figure(svg, caption))
    silent = frame.loc[frame["value"].isna(), "channel"].tolist()
    if silent and not known.empty:
        blocks.append(
            Note(f"Without {inputs.measure} (no spend or no effect): {', '.join(silent)}.")
        )
    if frame[["low", "high"]].isna().any(axis=1).all():
        blocks.append(Note("No intervals: this run made no estimate of uncertainty.", "missing"))
    else:
        blocks.append(Note(_about_intervals(inputs)))
    blocks.append(_channels(inputs))
    return Section("returns", f"{inputs.measure} by channel", blocks)


def _level(inputs: ReportInputs) -> str:
    return f"{100 * inputs.metrics['intervals']['level']:g} %"


def _heading(inputs: ReportInputs) -> str:
    return (
        "interval"
        if inputs.metrics["intervals"]["method"] == "none"
        else f"{_level(inputs)} interval"
    )


def _about_intervals(inputs: ReportInputs) -> str:
    """Say what the bars are, and what they are not."""
    how = inputs.metrics["intervals"]
    if how["method"] == "bootstrap":
        return (
            f"The bar is the {_level(inputs)} interval of {how['draws']} refits of the chosen "
            f"model to resampled blocks of {how['block']} periods. It tells how far the figures "
            "hang on noise once adstock, saturation and penalty are taken as known; that these may "
            "be wrong is not in it."
        )
    return (
        f"The bar is the {_level(inputs)} interval of the mean among the models of the chosen "
        "model's cluster (bootstrap). It tells how much alike the models of the cluster are, not "
        "how sure the data is; the chosen model may lie outside."
    )


def _channels(inputs: ReportInputs) -> Table:
    """List the channels' figures."""
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
        return "no interval"
    if pd.isna(high):
        return f"{in_words(low, 'ratio')} or more"
    return f"{in_words(low, 'ratio')} to {in_words(high, 'ratio')}"


def response(inputs: ReportInputs) -> Section:
    """Show the response curves."""
    title = "Response curves"
    points = inputs.table("response_curves")
    if points.empty:
        return Section("response", title, [Note("This run made no response curves.", "missing")])
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
            "part": points["is_observed"].map({True: "seen", False: "beyond the data"}),
        }
    )
    # The dashed part begins where the solid one ends.
    seen = lines[lines["part"] == "seen"].groupby("channel", as_index=False).last()
    lines = pd.concat([lines, seen.assign(part="beyond the data")], ignore_index=True)
    means = pd.DataFrame(
        {
            "channel": media["component"],
            "rank": media["variable"].map(rank),
            "input": media["mean_input"],
            "response": media["mean_response"],
            "tip": [
                f"{name}; mean input {in_words(x, 'money')}; mean response {in_words(y, 'money')}"
                for name, x, y in zip(
                    media["component"], media["mean_input"], media["mean_response"], strict=True
                )
            ],
        }
    ).dropna(subset=["input", "response"])
    caption = (
        f"Response per {inputs.period} to the input per {inputs.period} after carry-over: money "
        "for paid channels, its own unit for organic ones. The dot is the mean of the window, off "
        "the curve where the input comes in bursts; dashed is beyond the largest input in the data."
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
    """Show what the budget allocator proposes, scenario by scenario."""
    rows = inputs.table("allocation")
    title = "Budget allocation"
    if rows.empty:
        text = "The budget allocator did not run: the config asks for none, or it had no solution."
        return Section("allocation", title, [Note(text, "missing")])
    blocks: list[Block] = []
    for number, of_scenario in rows.groupby("scenario_number", sort=True):
        blocks += _scenario(inputs, int(str(number)), of_scenario)
    return Section("allocation", title, blocks)


def _scenario(inputs: ReportInputs, number: int, rows: pd.DataFrame) -> list[Block]:
    scenario = {
        "max_response": "Most response for the same budget",
        "target_efficiency": f"Budget for a given {inputs.measure}",
    }.get(rows["scenario"].iloc[0], rows["scenario"].iloc[0])
    rows = rows.assign(name=rows["channel"].fillna(rows["variable"]))
    frame = pd.DataFrame(
        [
            {
                "channel": row.name,
                "measure": measure,
                "spend": spend,
                "words": in_words(spend, "money"),
                "tip": f"{row.name}; {measure} {in_words(spend, 'money')} a {inputs.period}",
            }
            for row in rows[["name", "spend_now", "spend_optimal"]].itertuples(index=False)
            for measure, spend in (("now", row.spend_now), ("proposed", row.spend_optimal))
        ]
    )
    now, then = rows["response_now"].sum(), rows["response_optimal"].sum()
    change = in_words(then / now - 1, "percent") if now else "n/a"
    target = rows["target_value"].iloc[0]
    caption = (
        f"Spend per {inputs.period}: {in_words(rows['spend_now'].sum(), 'money')} now, "
        f"{in_words(rows['spend_optimal'].sum(), 'money')} proposed; the modelled response changes "
        f"by {change}."
        + ("" if pd.isna(target) else f" {inputs.measure} to keep: {in_words(target, 'ratio')}.")
    )
    name = f"allocation{number}"
    numbers = table(
        rows,
        {
            "name": ("channel", "text"),
            "spend_now": ("spend now", "money"),
            "spend_optimal": ("proposed", "money"),
            "lower_bound": ("least allowed", "money"),
            "upper_bound": ("most allowed", "money"),
            "response_now": ("response now", "money"),
            "response_optimal": ("response then", "money"),
        },
    )
    blocks: list[Block] = [
        Heading(scenario),
        Figure(draw(charts.allocation(frame), name=name, description=caption), caption, numbers),
    ]
    if not bool(rows["is_feasible"].all()):
        text = "The bounds allow no split that meets the scenario; this is the nearest one."
        blocks.append(Note(text, "warning"))
    return blocks
