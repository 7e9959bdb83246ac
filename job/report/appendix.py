"""The end of the report: the run's other files, and the terms in plain words."""

from __future__ import annotations

from job.report.blocks import Block, Heading, Links, Note, Section, key_value_table
from job.report.inputs import ReportInputs

_TERMS = {
    "ROAS": "Return on advertising spend: the revenue that one unit of spend brings.",
    "CPA": "Cost per acquisition: the spend that one conversion costs.",
    "marginal ROAS or CPA": "That of the next unit of spend, at today's level of spend.",
    "contribution": "What a channel or driver brings, in units of the target.",
    "90% interval": "The true value is inside with a probability of 90%, if the model is right.",
    "posterior": "All effects that fit data and lift tests, each with its probability.",
    "chosen model": "The one model of the search on which pictures of parts and time are based.",
    "baseline": "What would come without media and context: level, trend, season and events.",
    "carry-over": "The part of an effect that comes after the period of the spend (adstock).",
    "saturation": "More spend brings less and less per unit.",
    "lift test": "An experiment that measures what a channel brings.",
    "R²": "The share of the target's ups and downs that the model explains; 1 is all of it.",
    "NRMSE": "The size of the model's errors, relative to the range of the target; 0 is best.",
    "DECOMP.RSSD": "The distance between shares of effect and of spend; the search keeps it small.",
    "Pareto front": "The models for which no other one is better in both errors.",
    "convergence": "Whether a longer search would no longer find better models.",
    "HELD": "The run is complete, but the market's earlier run stays the current one.",
}


def files(inputs: ReportInputs) -> Section:
    """Link the run's other files, which are beside the report."""
    names = sorted(inputs.files)
    blocks: list[Block] = []
    for title, chosen in (
        ("One-pagers", [n for n in names if n.startswith("onepagers/")]),
        ("Tables", [n for n in names if n.startswith("tables/")]),
        ("Other files", [n for n in names if "/" not in n]),
    ):
        if chosen:
            blocks += [Heading(title), Links(chosen)]
    if not blocks:
        blocks.append(Note("The run has no other files.", "missing"))
    else:
        text = "The links work where the report is stored, in the run's folder of the bucket."
        blocks.insert(0, Note(text))
    return Section("files", "Files of this run", blocks, is_appendix=True)


def glossary(inputs: ReportInputs) -> Section:
    """Explain the terms; those of the other measure are left out."""
    other = "CPA" if inputs.units.is_revenue else "ROAS"
    measure = inputs.units.measure
    terms = {
        name.replace("ROAS or CPA", measure): text for name, text in _TERMS.items() if name != other
    }
    return Section("glossary", "Glossary", [key_value_table(terms)], is_appendix=True)
