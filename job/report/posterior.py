"""The section about what each channel returned, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from contract.amounts import amount, chance
from job.gate.wording import joined
from job.report import charts
from job.report.blocks import (
    Block,
    Figure,
    Format,
    Items,
    Note,
    Section,
    format_value,
    table,
)
from job.report.inputs import ReportInputs
from job.report.sentences import Performance, performances
from job.report.svg import draw
from job.report.units import percent, span

_USEFUL = 0.05  # a test that narrows the intervals by less is not recommended


def returns(inputs: ReportInputs) -> Section:
    """Show ROAS or CPA per channel: by the posterior, or without one by the chosen model."""
    units, found = inputs.units, inputs.posterior
    blocks: list[Block] = [returns_figure(inputs, performances(inputs), name="returns")]
    if not found:
        text = (
            "These figures have no intervals, because the run has no posterior (`posterior` in the "
            "config). One model of many that fit is no measure of how sure a figure is."
        )
        blocks.append(Note(text, "warning"))
    else:
        blocks += _by_posterior(inputs, found)
    return Section("returns", f"What each channel returns: {units.measure}", blocks)


def returns_figure(inputs: ReportInputs, channels: Sequence[Performance], *, name: str) -> Block:
    """Return the chart of ROAS or CPA of some channels."""
    units = inputs.units
    rows = [row for one in channels if (row := _drawn(inputs, one))]
    if not rows:
        return Note(f"No channel has a {units.measure}: none has spend and an effect.", "missing")
    caption = f"{units.measure}: {units.measure_unit}, in the modelling window."
    if inputs.posterior:
        caption += (
            " The dot is the median of the posterior. The bar holds 90% of its draws: with data, "
            "model and priors as they are, the true value is inside with a probability of 90%."
        )
    if units.is_revenue:
        caption += " The dashed line is 1: revenue equals spend."
    says = f"The further {'right' if units.is_revenue else 'left'}, the more a channel returns" + (
        "; the longer the bar, the less certain that is." if inputs.posterior else "."
    )
    svg = draw(
        partial(
            charts.returns,
            frame=pd.DataFrame(rows),
            title=units.measure if units.is_revenue else f"CPA, {units.money_unit}",
            break_even=1.0 if units.is_revenue else None,
        ),
        name=name,
        description=f"{says} {caption}",
    )
    return Figure(svg, says, caption)


def _drawn(inputs: ReportInputs, one: Performance) -> dict[str, Any] | None:
    """Return a channel's row of the chart, None if it has no CPA."""
    units = inputs.units
    value, ends = one.roas, [one.low, one.high]
    if not units.is_revenue:
        if one.roas <= 0:
            return None
        value, ends = 1 / one.roas, [_inverse(end) for end in reversed(ends)]
        if ends[1] is not None:  # the chart ends where it still shows the other channels
            ends[1] = min(ends[1], 5 * value)
    label = units.performance(one.roas)
    sure = (
        "no interval"
        if one.low is None or one.high is None
        else f"90% interval {units.between(one.low, one.high)}"
    )
    return {
        "channel": one.name,
        "value": value,
        "low": ends[0],
        "high": ends[1] if ends[1] is not None or ends[0] is None else 5 * value,
        "label": label,
        "tooltip": f"{one.name}; {units.measure} {label}; {sure}",
    }


def _by_posterior(inputs: ReportInputs, found: Mapping[str, Any]) -> list[Block]:
    units = inputs.units
    chosen = dict(zip(inputs.paid["component"], inputs.paid["roas"], strict=True))
    rows = pd.DataFrame([_row(inputs, c, chosen) for c in (*found["channels"], found["total"])])
    measure = units.measure
    columns: dict[str, tuple[str, Format]] = {
        "channel": ("channel", "text"),
        "contribution": (f"contribution, {units.target_unit}", "span"),
        "share": (f"share of {units.label}, 90% interval", "span"),
        "value": (f"{measure}, 90% interval", "span"),
        "marginal": (f"marginal {measure}", "span"),
        "carry_over": (f"effect after its {inputs.period}", "percent"),
        "chosen": (f"{measure} of the chosen model", "span"),
    }
    blocks: list[Block] = [table(rows, columns), Note(_ABOUT)]
    texts = [*_notes(inputs, found, chosen), *_statements(inputs, found)]
    texts += [text for text in (_nearest(inputs, found), next_test(found)) if text]
    blocks.append(Items(texts))
    return blocks


_ABOUT = (
    "These figures come from a posterior: it weighs all shapes of carry-over and saturation that "
    "fit the data, instead of one chosen model. A marginal figure is that of one more unit of "
    "spend at today's level; it is above the average where the response curve still gets steeper."
)


def chains(inputs: ReportInputs) -> list[Section]:
    """Show how well the posterior was sampled, and which channels may have no effect."""
    found = inputs.posterior
    if not found:
        return []
    rows = pd.DataFrame(
        [
            {
                "channel": c["name"],
                "no_effect": chance(c["no_effect"]),
                "is_identified": "yes" if c["is_identified"] else "no",
                "r_hat": c["r_hat"],
                "effective_draws": round(c["effective_draws"]),
            }
            for c in found["channels"]
        ]
    )
    numbers = table(
        rows,
        {
            "channel": ("channel", "text"),
            "no_effect": ("probability of no effect", "span"),
            "is_identified": ("known from the data", "span"),
            "r_hat": ("R-hat", "ratio"),
            "effective_draws": ("effective draws", "number"),
        },
    )
    remembered = format_value(found["autocorrelation"], "ratio")
    about = (
        f"{format_value(found['draws'], 'number')} draws are stored. R-hat compares the chains: "
        "near 1 they agree, above 1.1 raise `posterior.sweeps`. Effective draws count draws that "
        "are independent of each other. A channel is known from the data if they narrow its prior "
        f"clearly. The autocorrelation of the noise is {remembered}."
    )
    blocks: list[Block] = [numbers, Note(about)]
    return [Section("chains", "Draws of the posterior", blocks, is_appendix=True)]


def _row(
    inputs: ReportInputs, channel: Mapping[str, Any], chosen: Mapping[str, float]
) -> dict[str, Any]:
    units, roas, share = inputs.units, channel["roas"], channel["share"]
    model = chosen.get(channel["name"])
    return {
        "channel": channel["name"] or "all paid channels",
        "contribution": amount(channel["contribution"]["median"]),
        "share": f"{percent(share['median'])} ({span(share['low'], share['high'])})",
        "value": (
            f"{units.performance(roas['median'])} ({units.between(roas['low'], roas['high'])})"
        ),
        "marginal": units.performance(channel["marginal_roas"]["median"]),
        "carry_over": channel["carry_over"] and channel["carry_over"]["median"],
        "chosen": units.performance(None if model is None or pd.isna(model) else model),
    }


def _notes(
    inputs: ReportInputs, found: Mapping[str, Any], chosen: Mapping[str, float]
) -> Iterator[str]:
    """Yield what to know about single channels."""
    unknown = [c["name"] for c in found["channels"] if not c["is_identified"]]
    if unknown:
        yield f"The data say little about {joined(unknown)}; only an experiment can measure it."
    mean = float(inputs.paid["contribution"].sum() / max(inputs.paid["spend"].sum(), 1e-300))
    similar: list[str] = []
    other: list[str] = []
    for channel in found["channels"]:
        roas, model = channel["roas"], chosen.get(channel["name"])
        if model is None or pd.isna(model) or roas["low"] <= model <= roas["high"]:
            continue
        nearer = abs(model - mean) < abs(roas["median"] - mean)
        (similar if nearer else other).append(channel["name"])
    measure = inputs.units.measure
    for names, reason in (
        (similar, f"the search prefers models whose channels have a similar {measure}"),
        (other, "one model shows one of many carry-overs and saturations that fit as well"),
    ):
        if names:
            yield f"The chosen model is outside the interval of {joined(names)}: {reason}."


def _nearest(inputs: ReportInputs, found: Mapping[str, Any]) -> str | None:
    nearest = found["nearest_model"]
    if not nearest:
        return None
    distance, best = (format_value(nearest[k], "ratio") for k in ("distance", "best_distance"))
    if nearest["model_id"] == inputs.metrics.get("best_model"):
        return (
            f"Of the {nearest['models']} models that the search kept, the chosen one is nearest to "
            f"the posterior: {distance} standard deviations away."
        )
    return (
        f"Of the {nearest['models']} models that the search kept, {nearest['model_id']} is nearest "
        f"to the posterior: {distance} standard deviations away, the chosen model {best}."
    )


def next_test(found: Mapping[str, Any]) -> str | None:
    """Recommend the lift test that would help most, None if none would."""
    useful = [test for test in found["next_tests"] if test["narrowing"] >= _USEFUL]
    if not useful:
        return None
    error = percent(found["test_error"])
    first, *others = useful[:3]
    more = [f"a test of {test['channel']} by {percent(test['narrowing'])}" for test in others]
    return (
        f"Test {first['channel']} next: a lift test with a standard error of {error} would narrow "
        f"the intervals of the best budget split by {percent(first['narrowing'])}"
        + (f"; {joined(more)}." if more else ".")
    )


def _inverse(value: float | None) -> float | None:
    return None if value is None or value <= 0 else 1 / value


def _statements(inputs: ReportInputs, found: Mapping[str, Any]) -> list[str]:
    out = [
        f"{s['better']} returns more per unit of spend than {s['worse']} (probability "
        f"{chance(s['probability'])})."
        for s in found["statements"][:5]
    ]
    for pair in found["pairs"]:
        both = inputs.units.between(pair["roas"]["low"], pair["roas"]["high"])
        out.append(
            f"{joined(pair['channels'])} cannot be separated. Together their "
            f"{inputs.units.measure} is {both} (90% interval)."
        )
    return out
