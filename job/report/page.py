"""Render pages: the report of a run, its summary, and any page of sections in the same style."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from contract.pages.templates import render_template, resource
from contract.verdict import Level, problems
from job.report import appendix, budget, lift, posterior, record, results, search, sentences
from job.report.blocks import Section
from job.report.inputs import ReportInputs
from job.report.units import percent, span


@dataclass(frozen=True)
class Headline:
    """One figure at the top of the page, with its interval as a hint."""

    name: str
    value: str
    hint: str = ""


@dataclass(frozen=True)
class Banner:
    """The verdict at the top of the page: its level, what it means, and the findings above PASS."""

    level: str
    meaning: str
    findings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a page shows, from top to bottom."""

    title: str
    subtitle: str
    verdict: Banner | None = None
    sentences: Sequence[str] = ()
    figures: Sequence[Headline] = ()
    sections: Sequence[Section] = ()
    footer: str
    is_sheet: bool = False


def render(page: Page) -> str:
    """Return a page as one HTML file.

    The file is self-contained. Charts are inline SVG. Its content security policy allows no
    requests and only the script for tooltips. All text from configs and data is escaped.
    """
    script = resource("job.report", "tooltip.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return render_template(
        "job.report",
        "report.html.j2",
        page=page,
        script=Markup(script),  # noqa: S704 # nosec B704
        script_hash=f"sha256-{digest}",
    )


def render_report(inputs: ReportInputs) -> str:
    """Return the report of a finished training as one HTML file.

    Raises:
        ArtifactError: A table is missing.
    """
    return render(
        Page(
            title=title(inputs),
            subtitle=subtitle(inputs),
            verdict=banner(inputs),
            sentences=sentences.in_short(inputs),
            figures=headlines(inputs),
            sections=[
                posterior.returns(inputs),
                results.decomposition(inputs),
                results.spend_and_effect(inputs),
                results.response(inputs),
                budget.allocation(inputs),
                *lift.lift_tests(inputs),
                results.fit(inputs),
                *results.prediction(inputs),
                record.verdict(inputs),
                *posterior.chains(inputs),
                results.chosen(inputs),
                search.pareto(inputs),
                search.convergence(inputs),
                record.data(inputs),
                record.record(inputs),
                appendix.files(inputs),
                appendix.glossary(inputs),
            ],
            footer=footer(inputs),
        )
    )


def title(inputs: ReportInputs) -> str:
    """Return the title of a run's pages."""
    return f"{inputs.config.market}: marketing mix model"


def subtitle(inputs: ReportInputs) -> str:
    """Return what is modelled, the window, and the run."""
    label = inputs.units.label
    return (
        f"{label[:1].upper()}{label[1:]} per {inputs.period}, {inputs.first_day} to "
        f"{inputs.last_day}. "
        f"Revision {inputs.config.revision}, run {inputs.run.get('run_id', 'n/a')}."
    )


def footer(inputs: ReportInputs) -> str:
    """Return the end of a run's pages."""
    return f"Run {inputs.run.get('run_id', 'n/a')}, {inputs.engine}. Created by MMM Trainer."


def meaning(level: str, *, read: str = "these findings") -> str:
    """Say what a verdict means; `read` names the findings on the page."""
    return {
        Level.PASS: "All checks of the result passed. It may be used.",
        Level.REVIEW: f"Read {read} before you use the result.",
        Level.FAIL: "Do not use this result.",
    }[Level(level)]


def banner(inputs: ReportInputs) -> Banner | None:
    """Return the verdict, None for a run without one."""
    verdict = inputs.metrics.get("verdict")
    if not verdict:
        return None
    level = str(verdict["verdict"])
    found = tuple(f"{f['level']}: {f['sentence']}." for f in problems(verdict))
    return Banner(level, meaning(level), found)


def headlines(inputs: ReportInputs) -> list[Headline]:
    """Return the figures of all paid media together, each with its interval."""
    units, found = inputs.units, inputs.posterior
    if not found:
        paid = inputs.paid
        contribution, spend = float(paid["contribution"].sum()), float(paid["spend"].sum())
        roas = contribution / spend if spend else 0.0
        hint = "the chosen model; no interval"
        return [
            Headline("Paid media brought", units.target(contribution), hint),
            Headline(f"Share of {units.label}", percent(paid["contribution_share"].sum()), hint),
            Headline(f"{units.measure} of paid media", units.performance(roas), hint),
            Headline("Spend", units.money(spend)),
        ]
    total = found["total"]
    contribution, share, roas, marginal = (
        total[name] for name in ("contribution", "share", "roas", "marginal_roas")
    )
    ends = units.target_between(contribution["low"], contribution["high"])
    return [
        Headline("Paid media brought", units.target(contribution["median"]), ends),
        Headline(
            f"Share of {units.label}",
            percent(share["median"]),
            span(share["low"], share["high"]),
        ),
        Headline(
            f"{units.measure} of paid media",
            units.performance(roas["median"]),
            units.between(roas["low"], roas["high"]),
        ),
        Headline(
            f"Marginal {units.measure}",
            units.performance(marginal["median"]),
            units.between(marginal["low"], marginal["high"]),
        ),
    ]
