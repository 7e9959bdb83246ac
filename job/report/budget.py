"""The section about the budget allocator: its proposals, and what limits them."""

from __future__ import annotations

from functools import partial

import pandas as pd

from contract.config import Allocator
from job.gate.wording import joined, verb
from job.report import charts
from job.report.blocks import Block, Figure, Heading, Note, Section, table
from job.report.inputs import ReportInputs
from job.report.svg import draw
from job.report.units import percent

_AT_BOUND = 0.005  # a spend this near to a bound, relative to it, is at the bound
_MEASURES = ("current", "proposed")


def allocation(inputs: ReportInputs) -> Section:
    """Show the budget allocator's proposal for each scenario."""
    rows = inputs.table("allocation")
    title = "How to split the budget"
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


def says(inputs: ReportInputs, rows: pd.DataFrame) -> str:
    """Say what a scenario's proposal would change, as media's response and as the target."""
    units, period = inputs.units, inputs.period
    before, after = rows["response_now"].sum(), rows["response_optimal"].sum()
    more = float(after - before)
    whole = float(inputs.by_period["actual"].mean())
    now, proposed = (units.money(rows[f"spend_{when}"].sum()) for when in ("now", "optimal"))
    budget = f"the same {now} per {period}"
    if now != proposed:
        budget = f"{proposed} per {period} instead of {now}"
    text = (
        f"With {budget}, paid media would bring "
        f"{units.target(abs(more))} {'more' if more >= 0 else 'less'} per {period}"
    )
    if before > 0 and whole > 0:
        text += (
            f": {percent(more / before)} of what paid media bring now, {percent(more / whole)} of "
            f"{units.label}"
        )
    return f"{text}, by the chosen model."


def _scenario(inputs: ReportInputs, number: int, rows: pd.DataFrame) -> list[Block]:
    units, period = inputs.units, inputs.period
    rows = rows.assign(
        name=rows["channel"].fillna(rows["variable"]), at=[bound(row) for _, row in rows.iterrows()]
    )
    columns = (rows[column] for column in ("name", "at", "spend_now", "spend_optimal"))
    frame = pd.DataFrame(
        [
            {
                "channel": name,
                "measure": measure,
                "value": spend,
                "label": f"{spend:,.0f}" + (f", {at}" if at and measure != "current" else ""),
                "tooltip": f"{name}; {measure} {units.money(spend)} per {period}",
            }
            for name, at, *spends in zip(*columns, strict=True)
            for measure, spend in zip(_MEASURES, spends, strict=True)
        ]
    )
    target = rows["target_value"].iloc[0]
    caption = f"Spend per {period}, today and as proposed." + (
        "" if pd.isna(target) else f" Target {units.measure}: {target:,.2f}."
    )
    numbers = table(
        rows,
        {
            "name": ("channel", "text"),
            "spend_now": (f"current spend, {units.money_unit}", "money"),
            "spend_optimal": ("proposed spend", "money"),
            "at": ("at a bound", "text"),
            "lower_bound": ("lower bound", "money"),
            "upper_bound": ("upper bound", "money"),
            "response_now": (f"current response, {units.target_unit}", "money"),
            "response_optimal": ("proposed response", "money"),
        },
    )
    sentence = says(inputs, rows)
    svg = draw(
        partial(
            charts.pairs,
            frame=frame,
            measures=_MEASURES,
            title=f"spend per {period}, {units.money_unit}",
            axis=charts.money_axis,
        ),
        name=f"allocation{number}",
        description=f"{sentence} {caption}",
    )
    blocks: list[Block] = [
        Heading(heading(inputs, number, str(rows["scenario"].iloc[0]))),
        Figure(svg, sentence, caption, numbers),
    ]
    if at_bounds := rows.loc[rows["at"] != "", "name"].tolist():
        blocks.append(
            Note(
                f"{joined(at_bounds)} {verb(len(at_bounds), 'is', 'are')} at a bound that the "
                "config sets (`channel_low`, `channel_high`): the model would go further, but past "
                "spend says little about that."
            )
        )
    if not bool(rows["is_feasible"].all()):
        text = "No allocation within the bounds meets the target; this is the closest one."
        blocks.append(Note(text, "warning"))
    return blocks


def heading(inputs: ReportInputs, number: int, scenario: str) -> str:
    """Return the heading of a scenario; its number counts the config's scenarios from 1."""
    if scenario == "target_efficiency":
        return f"Maximum response at a target {inputs.units.measure}"
    scenarios = inputs.config.outputs.allocator
    asked = scenarios[number - 1] if number <= len(scenarios) else Allocator()
    if asked.total_budget is None:
        return "Maximum response for the same budget"
    return (
        f"Maximum response for a budget of {inputs.units.money(asked.total_budget)} in the whole "
        "window"
    )


def bound(row: pd.Series) -> str:
    """Return at which bound a proposal is, "" if at none."""
    for name in ("lower", "upper"):
        limit = row[f"{name}_bound"]
        free = row["upper_bound"] > 0  # a channel without effect gets nothing
        if free and pd.notna(limit) and abs(row["spend_optimal"] - limit) <= _AT_BOUND * abs(limit):
            return f"{name} bound"
    return ""
