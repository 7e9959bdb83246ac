"""The section about the posterior: what each channel returned, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from job.report.blocks import Block, Format, Note, Section, format_value, table
from job.report.inputs import ReportInputs

_USEFUL = 0.05  # a test that narrows the intervals by less is not recommended
_WHOLE = 100  # amounts from here on are shown without decimals


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
        "carry_over": (f"effect after its {inputs.period}", "percent"),
        "chosen": (f"{measure} of the chosen model", "ratio"),
        "note": ("note", "text"),
    }
    if not inputs.is_revenue:
        del columns["marginal"]
    blocks: list[Block] = [Note(_sentence(inputs, found)), table(rows, columns)]
    blocks += [Note(text) for text in _statements(inputs, found)]
    if nearest := _nearest(found):
        blocks.append(Note(nearest))
    if useful := _next_test(found):
        blocks.append(Note(useful))
    if found["tests"]:
        blocks += _lift_tests(inputs, found["tests"])
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
        "carry_over": channel["carry_over"] and channel["carry_over"]["median"],
        "note": _note(inputs, channel, chosen),
    }


def _note(inputs: ReportInputs, channel: Mapping[str, Any], chosen: Mapping[str, float]) -> str:
    notes, roas, model = [], channel["roas"], chosen.get(channel["name"])
    if not channel["is_identified"]:
        notes.append("The data say little about this channel; only an experiment can tell.")
    if model is not None and not roas["low"] <= model <= roas["high"]:
        mean = float(inputs.paid["contribution"].sum() / inputs.paid["spend"].sum())
        if abs(model - mean) < abs(roas["median"] - mean):
            reason = f"the search prefers models whose channels have a similar {inputs.measure}"
        else:
            reason = "one model shows one of many carry-overs and saturations that fit as well"
        notes.append(f"The chosen model is outside the interval: {reason}.")
    return " ".join(notes)


def _nearest(found: Mapping[str, Any]) -> str | None:
    nearest = found["nearest_model"]
    if not nearest:
        return None
    distance, best = (format_value(nearest[k], "ratio") for k in ("distance", "best_distance"))
    return (
        f"Of the {nearest['models']} models that the search kept, {nearest['model_id']} is nearest "
        f"to the posterior: {distance} standard deviations away, the chosen model {best}."
    )


def _next_test(found: Mapping[str, Any]) -> str | None:
    useful = [test for test in found["next_tests"] if test["narrowing"] >= _USEFUL]
    if not useful:
        return None
    error = format_value(found["test_error"], "percent")
    first, *others = (
        f"{test['channel']} by {format_value(test['narrowing'], 'percent')}" for test in useful[:3]
    )
    more = f" Others: {', '.join(others)}." if others else ""
    return (
        f"Test next: a lift test with a standard error of {error} would narrow the intervals of "
        f"the best budget split; one of {first}.{more}"
    )


def _lift_tests(inputs: ReportInputs, tests: Sequence[Mapping[str, Any]]) -> list[Block]:
    rows = []
    for test in tests:
        given = inputs.config.calibration[test["number"]]
        lift, error = (_amount(test[key]) for key in ("lift", "standard_error"))
        rows.append(
            {
                "test": f"{given.channel}, {given.start} to {given.end}",
                "measured": f"{lift} ± {error}",
                "before": _span(test["before"]),
                "after": _span(test["after"]),
                "agrees": "yes" if _agrees(test) else "no",
            }
        )
    columns: dict[str, tuple[str, Format]] = {
        "test": ("lift test", "text"),
        "measured": ("measured lift ± standard error", "text"),
        "before": ("the model without tests", "text"),
        "after": ("the model with all tests", "text"),
        "agrees": ("agrees with the data", "text"),
    }
    note = (
        "Lift tests count as measurements beside the data. A test agrees with the data if its 90 % "
        "interval overlaps that of the model without tests."
    )
    return [Note(note), table(pd.DataFrame(rows), columns), *_other_spends(inputs)]


def _other_spends(inputs: ReportInputs) -> list[Block]:
    """Repeat the gate's findings on tests whose spend is not that of the data."""
    checks = (inputs.quality or {}).get("checks") or []
    found = [check for check in checks if check["check"] == "lift_test_spend"]
    return [
        Note(
            f"Do not use the results of these channels yet: {check['sentence']}. The lift of the "
            "test belongs to its own spend, and this pulls their results away from the data.",
            "warning",
        )
        for check in found
        if check["outcome"] == "WARN"
    ]


def _agrees(test: Mapping[str, Any]) -> bool:
    """Return whether the 90 % intervals of test and model overlap."""
    reach = 1.645 * test["standard_error"]
    before = test["before"]
    return bool(before["low"] <= test["lift"] + reach and test["lift"] - reach <= before["high"])


def _span(span: Mapping[str, float]) -> str:
    low, median, high = (_amount(span[key]) for key in ("low", "median", "high"))
    return f"{median} ({low} to {high})"


def _amount(value: float) -> str:
    return format_value(value, "money" if abs(value) >= _WHOLE else "number")


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
