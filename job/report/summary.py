"""The summary of a run: one side of paper for people who decide about budgets."""

from __future__ import annotations

from contract.pages.templates import cut
from contract.verdict import Level, problems
from job.gate.wording import quantity
from job.report import budget, posterior, sentences
from job.report.blocks import Block, Items, Section
from job.report.inputs import ReportInputs
from job.report.page import (
    Banner,
    Page,
    banner,
    footer,
    headlines,
    meaning,
    render,
    subtitle,
    title,
)

MAX_CHANNELS = 6  # in the chart: the best and the worst
MAX_ITEMS = 4
_BELOW = "the findings below"
MAX_LETTERS = 330  # of one sentence


def render_summary(inputs: ReportInputs) -> str:
    """Return the summary of a finished training as one HTML file; it fits on one side of A4.

    Raises:
        ArtifactError: A table is missing.
    """
    found = banner(inputs)
    ranked = sentences.performances(inputs)
    half = MAX_CHANNELS // 2
    drawn = ranked if len(ranked) <= MAX_CHANNELS else [*ranked[:half], *ranked[-half:]]
    left = len(ranked) - len(drawn)
    name = f"{inputs.units.measure} by channel"
    heading = f"{name}: the best and the worst, without {left} between them" if left else name
    figure: Block = posterior.returns_figure(inputs, drawn, name="summary")
    return render(
        Page(
            title=title(inputs),
            subtitle=subtitle(inputs),
            verdict=found and Banner(found.level, meaning(found.level, read=_BELOW), ()),
            sentences=[
                sentences.brought(inputs),
                sentences.best_and_worst(inputs),
                sentences.change(inputs),
            ],
            figures=headlines(inputs),
            sections=[
                Section("channels", heading, [figure]),
                Section("next", "What to do next", [Items(next_steps(inputs))]),
            ],
            footer=f"{footer(inputs)} The full report is report.html in the same folder.",
            is_sheet=True,
        )
    )


def next_steps(inputs: ReportInputs) -> list[str]:
    """Return what to do with the result: the findings first, then the budget and the next test."""
    verdict = inputs.metrics.get("verdict")
    findings = [f"{finding['sentence']}." for finding in problems(verdict)]
    steps = [_capital(_short(text)) for text in findings[: MAX_ITEMS - 1]]
    if len(findings) > len(steps):
        more = len(findings) - len(steps)
        steps.append(f"Read {quantity(more, 'other finding')} in the report.")
    if not verdict or verdict["verdict"] != Level.FAIL:
        steps += [_short(text) for text in (_budget(inputs), _test(inputs)) if text]
    return steps[: MAX_ITEMS + 1] or ["Use the result, and compare it with the next run."]


def _budget(inputs: ReportInputs) -> str | None:
    """Return the proposal of the first scenario."""
    rows = inputs.table("allocation")
    if rows.empty:
        return None
    first = rows[rows["scenario_number"] == rows["scenario_number"].min()]
    first = first.assign(
        name=first["channel"].fillna(first["variable"]),
        more=first["spend_optimal"] - first["spend_now"],
    )
    most, least = first.loc[first["more"].idxmax()], first.loc[first["more"].idxmin()]
    if most["more"] <= 0 or least["more"] >= 0:
        return None
    return (
        f"Consider a shift of budget from {least['name']} to {most['name']}. "
        f"{budget.says(inputs, first)}"
    )


def _test(inputs: ReportInputs) -> str | None:
    return posterior.next_test(inputs.posterior) if inputs.posterior else None


def _short(text: str) -> str:
    return cut(text, MAX_LETTERS)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
