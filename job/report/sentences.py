"""The result in five sentences, generated from the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from job.gate.wording import quantity, verb
from job.report.inputs import ReportInputs
from job.report.units import percent, span

_INTERVAL = "90% interval"


@dataclass(frozen=True, kw_only=True)
class Performance:
    """A channel's ROAS; `low` and `high` are the ends of its interval, None without a posterior."""

    name: str
    roas: float
    low: float | None = None
    high: float | None = None


def in_short(inputs: ReportInputs) -> list[str]:
    """Return the sentences: media, best and worst channel, the next unit, change, period."""
    return [
        brought(inputs),
        best_and_worst(inputs),
        marginal(inputs),
        change(inputs),
        period(inputs),
    ]


def performances(inputs: ReportInputs) -> list[Performance]:
    """Return the paid channels with spend, the highest ROAS first."""
    if found := inputs.posterior:
        some = [
            Performance(
                name=c["name"],
                roas=c["roas"]["median"],
                low=c["roas"]["low"],
                high=c["roas"]["high"],
            )
            for c in found["channels"]
            if c["spend"] > 0
        ]
    else:
        columns = (inputs.paid[name] for name in ("component", "contribution", "spend"))
        some = [
            Performance(name=str(name), roas=float(contribution) / float(spend))
            for name, contribution, spend in zip(*columns, strict=True)
            if spend > 0
        ]
    return sorted(some, key=lambda one: -one.roas)


def brought(inputs: ReportInputs) -> str:
    """Say what paid media brought, in units of the target and as a share of it."""
    units, found = inputs.units, inputs.posterior
    if found:
        total = found["total"]
        contribution, share = total["contribution"]["median"], total["share"]["median"]
        sure = f"{_INTERVAL}: {span(total['share']['low'], total['share']['high'])}"
    else:
        contribution = float(inputs.paid["contribution"].sum())
        share = float(inputs.paid["contribution_share"].sum())
        sure = "no interval, because the run has no posterior"
    what = units.label if units.is_revenue else "all"
    return f"Paid media brought {units.target(contribution)}, {percent(share)} of {what} ({sure})."


def best_and_worst(inputs: ReportInputs) -> str:
    """Name the best and the worst channel, with their intervals."""
    units, ranked = inputs.units, performances(inputs)
    if not ranked:
        return f"No channel has spend, so none has a {units.measure}."
    if len(ranked) == 1:
        only = ranked[0]
        return f"{only.name} has a {units.measure} of {_value(inputs, only)}."
    best, worst = ranked[0], ranked[-1]
    text = (
        f"{best.name} returns the most per {units.one_spent}, with a {units.measure} of "
        f"{_value(inputs, best)}; {worst.name} returns the least, with {_value(inputs, worst)}."
    )
    if best.low is not None and worst.high is not None and best.low <= worst.high:
        text += " Their intervals overlap, so their order is not certain."
    return text


def marginal(inputs: ReportInputs) -> str:
    """Say what the next unit of spend brings."""
    units, found = inputs.units, inputs.posterior
    if not found:
        return "What more spend would bring is unknown, because the run has no posterior."
    total = found["total"]["marginal_roas"]
    known = [c for c in found["channels"] if c["spend"] > 0]
    ranked = sorted(known, key=lambda c: -c["marginal_roas"]["median"])
    value, ends = units.performance(total["median"]), units.between(total["low"], total["high"])
    if units.is_revenue:
        text = f"At today's spend, one more {units.one_spent} brings {value}"
        text += f" {units.currency} of {units.label}" if units.currency else f" of {units.label}"
    else:
        text = f"At today's spend, one more conversion costs {value}"
    text += f" ({_INTERVAL}: {ends})"
    if len(ranked) > 1:
        high, low = ranked[0], ranked[-1]
        values = [units.performance(c["marginal_roas"]["median"]) for c in (high, low)]
        text += f", from {values[0]} for {high['name']} to {values[1]} for {low['name']}"
    return f"{text}."


def change(inputs: ReportInputs) -> str:
    """Say what changed against the market's current run."""
    drift, units = inputs.drift, inputs.units
    against = drift and drift["against"]
    if drift is None or not against:
        return "The market has no current run yet, so there is nothing to compare with."
    known = [c for c in drift["channels"] if c["before"]["roas"] > 0 and c["after"]["roas"] > 0]
    if not known:
        return f"Nothing can be compared with the market's current run {against}."
    largest = max(known, key=lambda c: abs(_factor(c) - 1))
    was, now = (units.performance(largest[when]["roas"]) for when in ("before", "after"))
    ratio = _factor(largest) if units.is_revenue else 1 / _factor(largest)
    outside = _beyond(drift["reasons"])
    limits = (
        f"{quantity(outside, 'change')} {verb(outside, 'is', 'are')} beyond the tolerances"
        if outside
        else "all changes are within the tolerances"
    )
    held = " The run is held, so the current run stays." if drift["reasons"] else ""
    return (
        f"Compared with the market's current run {against}, {largest['name']} changed the most: "
        f"its {units.measure} is {now} and was {was} ({ratio - 1:+.0%}); {limits}.{held}"
    )


def _beyond(reasons: Sequence[str]) -> int:
    return sum("`promotion.max_" in reason for reason in reasons)


def _factor(channel: Mapping[str, Any]) -> float:
    return float(channel["after"]["roas"] / channel["before"]["roas"])


def period(inputs: ReportInputs) -> str:
    """Name the period of the figures."""
    length = quantity(int(inputs.metrics["rows"]), inputs.period)
    return f"All figures are for {length}, from {inputs.first_day} to {inputs.last_day}."


def _value(inputs: ReportInputs, one: Performance) -> str:
    value = inputs.units.performance(one.roas)
    if one.low is None or one.high is None:
        return value
    return f"{value} ({_INTERVAL}: {inputs.units.between(one.low, one.high)})"
