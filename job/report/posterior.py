"""The section about the posterior: what each channel returned, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from job.report.blocks import Block, Format, Note, Section, format_value, table
from job.report.inputs import ReportInputs


def returns(inputs: ReportInputs) -> list[Section]:
    """Return the section, or nothing if the run has no posterior."""
    found = inputs.metrics.get("posterior")
    if not found:
        return []
    chosen = dict(zip(inputs.paid["component"], inputs.paid["roas"], strict=True))
    rows = pd.DataFrame([_row(inputs, c, chosen) for c in (*found["channels"], found["total"])])
    measure = inputs.measure
    columns: dict[str, tuple[str, Format]] = {
        "channel": ("channel", "text"),
        "median": (measure, "ratio"),
        "interval": ("90 % interval", "text"),
        "marginal": ("marginal ROAS", "ratio"),
        "share": (f"share of {inputs.config.target.column}", "text"),
        "chosen": (f"{measure} of the chosen model", "ratio"),
        "note": ("note", "text"),
    }
    if not inputs.is_revenue:
        del columns["marginal"]
    blocks: list[Block] = [Note(_sentence(inputs, found)), table(rows, columns)]
    blocks += [Note(text) for text in _statements(inputs, found)]
    return [Section("posterior", "What each channel returns", blocks)]


def _row(
    inputs: ReportInputs, channel: Mapping[str, Any], chosen: Mapping[str, float]
) -> dict[str, Any]:
    roas, share = channel["roas"], channel["share"]
    ends = [roas["low"], roas["high"]]
    median, model = roas["median"], chosen.get(channel["name"])
    if not inputs.is_revenue:
        median, model = _inverse(median), _inverse(model)
        ends = [_inverse(end) for end in reversed(ends)]
    low, high = (format_value(end, "ratio") for end in ends)
    share_ends = [format_value(share[end], "percent") for end in ("low", "high")]
    return {
        "channel": channel["name"] or "all paid channels",
        "median": median,
        "interval": f"{low} or more" if ends[1] is None else f"{low} to {high}",
        "marginal": channel["marginal_roas"]["median"],
        "share": f"{format_value(share['median'], 'percent')} ({' to '.join(share_ends)})",
        "chosen": model,
        "note": _note(channel, chosen.get(channel["name"])),
    }


def _note(channel: Mapping[str, Any], model: float | None) -> str:
    notes = []
    if not channel["is_identified"]:
        notes.append("The data say little about this channel; only an experiment can tell.")
    if model is not None and not channel["roas"]["low"] <= model <= channel["roas"]["high"]:
        notes.append("The chosen model is outside the interval.")
    return " ".join(notes)


def _inverse(value: float | None) -> float | None:
    return None if value is None or value <= 0 else 1 / value


def _sentence(inputs: ReportInputs, found: Mapping[str, Any]) -> str:
    share = found["total"]["share"]
    low, high = (format_value(share[end], "percent") for end in ("low", "high"))
    return (
        f"Paid channels brought {format_value(share['median'], 'percent')} of "
        f"{inputs.config.target.column} (90 % interval: {low} to {high}). These figures come "
        "from a posterior: it weighs all shapes of carry-over and saturation that fit the data, "
        "instead of one chosen model."
    )


def _statements(inputs: ReportInputs, found: Mapping[str, Any]) -> list[str]:
    out = [
        f"{s['better']} returns more per unit of spend than {s['worse']} (probability "
        f"{format_value(s['probability'], 'percent')})."
        for s in found["statements"][:5]
    ]
    for pair in found["pairs"]:
        ends = [pair["roas"]["low"], pair["roas"]["high"]]
        if not inputs.is_revenue:
            ends = [_inverse(end) for end in reversed(ends)]
        low, high = (format_value(end, "ratio") for end in ends)
        out.append(
            f"{' and '.join(pair['channels'])} cannot be separated. Together their "
            f"{inputs.measure} is {low} to {high} (90 % interval)."
        )
    return out
