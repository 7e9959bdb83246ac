"""Render the report: headline figures and sections in one self-contained HTML file."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from contract.verdict import Level, problems
from job.report import posterior, record, results, search
from job.report.blocks import Note, format_value
from job.report.inputs import ReportInputs


@dataclass(frozen=True)
class Headline:
    """One figure at the top of the page; `verdict` sets its colour."""

    name: str
    value: str
    hint: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class Banner:
    """The verdict at the top of the page: its level, what it means, and the findings above PASS."""

    level: str
    meaning: str
    findings: tuple[str, ...]


def render_report(inputs: ReportInputs) -> str:
    """Return the report of a finished training as one HTML file.

    The file is self-contained. Charts are inline SVG. Its content security policy allows no
    requests and only the script for tooltips. All text from configs and data is escaped.

    Raises:
        ArtifactError: A table is missing.
    """
    script = _resource("tooltip.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    sections = [
        *posterior.returns(inputs),
        results.fit(inputs),
        results.decomposition(inputs),
        results.spend_and_effect(inputs),
        results.returns(inputs),
        results.response(inputs),
        search.pareto(inputs),
        results.allocation(inputs),
        search.convergence(inputs),
        record.verdict(inputs),
        record.data(inputs),
        record.record(inputs),
    ]
    return environment.from_string(_resource("report.html.j2")).render(
        title=f"{inputs.config.market}: marketing mix model",
        subtitle=_subtitle(inputs),
        verdict=_verdict(inputs),
        notes=_notes(inputs),
        figures=_figures(inputs),
        sections=sections,
        footer=f"Run {inputs.run.get('run_id', 'n/a')}. Created by MMM Trainer.",
        style=Markup(_resource("style.css")),  # noqa: S704 # nosec B704
        script=Markup(script),  # noqa: S704 # nosec B704
        script_hash=f"sha256-{digest}",
    )


def _resource(name: str) -> str:
    return files("job.report").joinpath(name).read_text(encoding="utf-8")


def _subtitle(inputs: ReportInputs) -> str:
    metrics, config = inputs.metrics, inputs.config
    return (
        f"{config.target.column} per {inputs.period}, {metrics.get('window_start')} to "
        f"{metrics.get('window_end')}. Revision {config.revision}, run "
        f"{inputs.run.get('run_id', 'n/a')}."
    )


_MEANING = {
    Level.PASS: "All checks of the result passed. It may be used.",
    Level.REVIEW: "Read these findings before you use the result.",
    Level.FAIL: "Do not use this result.",
}


def _verdict(inputs: ReportInputs) -> Banner | None:
    """Return the verdict, None for a run without one."""
    verdict = inputs.metrics.get("verdict")
    if not verdict:
        return None
    level = Level(verdict["verdict"])
    sentences = tuple(f"{f['level']}: {f['sentence']}." for f in problems(verdict))
    return Banner(level.value, _MEANING[level], sentences)


def _notes(inputs: ReportInputs) -> list[Note]:
    """Return the run's warnings, which appear above the figures."""
    return [Note(str(text), "warning") for text in inputs.run.get("warnings") or []]


def _figures(inputs: ReportInputs) -> list[Headline]:
    metrics, models = inputs.metrics, inputs.metrics.get("models") or {}
    verdict = str((inputs.quality or {}).get("verdict", "not checked"))
    figures = [
        Headline("Market", inputs.config.market),
        Headline("Engine", inputs.engine, _engine_hint(inputs)),
        Headline(
            "Best model",
            str(metrics.get("best_model", "n/a")),
            f"of {format_value(models.get('tried'), 'number')} tried",
        ),
        Headline("R²", format_value(metrics.get("rsq_train"), "ratio"), "adjusted, training rows"),
        Headline("NRMSE", format_value(metrics.get("nrmse"), "number")),
        Headline("DECOMP.RSSD", format_value(metrics.get("decomp_rssd"), "number")),
        Headline("Data", verdict, "the gate's verdict", verdict),
    ]
    if inputs.config.calibration:
        figures.append(Headline("MAPE of lift", format_value(metrics.get("mape"), "number")))
    return figures


def _engine_hint(inputs: ReportInputs) -> str:
    search = f"search: {inputs.run.get('search', 'n/a')}"
    return search if inputs.is_robyn else f"not Robyn; {search}"
