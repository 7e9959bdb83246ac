"""Sections on the search: the Pareto front and how the errors fell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from job.report import charts
from job.report.blocks import Block, Cell, Figure, Heading, Note, Section, Table, in_words, table
from job.report.inputs import ReportInputs
from job.report.svg import draw

MAX_DRAWN = 1200  # models that are no candidates; more would only make a darker cloud
CUTS = 20
_ERRORS = {"nrmse": "NRMSE", "decomp_rssd": "DECOMP.RSSD", "mape": "MAPE of lift"}


def pareto(inputs: ReportInputs) -> Section:
    """Show all models by their two errors, and which one was chosen."""
    models = inputs.table("pareto", best=False)
    winners = inputs.table("models", best=False)
    won = set(winners.loc[winners["is_cluster_winner"].fillna(value=False), "model_id"])
    kind = np.select(
        [
            models["is_best_model"].fillna(value=False),
            models["model_id"].isin(won),
            models["is_candidate"].fillna(value=False),
        ],
        ["chosen", "cluster winner", "candidate"],
        "model",
    )
    frame = pd.DataFrame(
        {
            "nrmse": models["nrmse"],
            "rssd": models["decomp_rssd"],
            "kind": kind,
            "tip": [
                f"{name}; NRMSE {in_words(x, 'number')}; DECOMP.RSSD {in_words(y, 'number')}"
                for name, x, y in zip(
                    models["model_id"], models["nrmse"], models["decomp_rssd"], strict=True
                )
            ],
        }
    )
    drawn = _thin(frame)
    tried = in_words(len(frame), "number")
    caption = (
        f"{tried} models were tried; {in_words(int((kind != 'model').sum()), 'number')} of them, "
        f"on the first Pareto fronts, are candidates. {in_words(len(drawn), 'number')} are drawn: "
        "all candidates, and a sample of the rest without its worst tenth. Chosen is the cluster "
        "winner with the lowest error score."
    )
    svg = draw(charts.pareto(drawn), name="pareto", description=caption)
    shown = winners[winners["model_id"].isin(won)].sort_values("error_score")
    numbers = table(
        shown,
        {
            "model_id": ("cluster winner", "text"),
            "error_score": ("error score", "number"),
            "rsq_train": ("R²", "ratio"),
            "nrmse": ("NRMSE", "number"),
            "decomp_rssd": ("DECOMP.RSSD", "number"),
            "mape": ("MAPE of lift", "number"),
        },
    )
    return Section("pareto", "Pareto front", [Figure(svg, caption, numbers)])


def _thin(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep every candidate, and an even sample of the finite rest below the 90th percentiles."""
    finite = frame[np.isfinite(frame["nrmse"]) & np.isfinite(frame["rssd"])]
    rest = finite[finite["kind"] == "model"]
    for error in ("nrmse", "rssd"):
        rest = rest[rest[error] <= rest[error].quantile(0.9)]
    if len(rest) > MAX_DRAWN:
        rest = rest.iloc[np.linspace(0, len(rest) - 1, MAX_DRAWN).round().astype(int)]
    drawn: pd.DataFrame = pd.concat([rest, finite[finite["kind"] != "model"]], ignore_index=True)
    return drawn


def convergence(inputs: ReportInputs) -> Section:
    """Show how the errors fell, and whether Robyn's rule calls the search converged."""
    models = inputs.table("pareto", best=False)
    last = int(models["iteration"].max())
    width = max(1, -(-last // CUTS))
    upper = ((models["iteration"] - 1) // width + 1) * width
    rows = []
    for measure, column in (("NRMSE", "nrmse"), ("DECOMP.RSSD", "decomp_rssd")):
        grouped = models[column].where(np.isfinite(models[column])).groupby(upper.clip(upper=last))
        bands = {"low": 0.1, "median": 0.5, "high": 0.9}
        quantiles = pd.DataFrame({name: grouped.quantile(q) for name, q in bands.items()})
        rows.append(quantiles.rename_axis("iteration").reset_index().assign(measure=measure))
    frame = pd.concat(rows, ignore_index=True)
    lengths = models.groupby("trial")["iteration"].max()
    upto = "" if lengths.nunique() == 1 else "up to "
    caption = (
        f"Errors of the models of each twentieth of the search, {len(lengths)} trials of {upto}"
        f"{in_words(last, 'number')} iterations: the line is the median, the band 80 % of them."
    )
    numbers = table(
        frame,
        {
            "measure": ("error", "text"),
            "iteration": ("up to iteration", "number"),
            "low": ("10 %", "number"),
            "median": ("median", "number"),
            "high": ("90 %", "number"),
        },
    )
    svg = draw(charts.convergence(frame), name="convergence", description=caption)
    blocks: list[Block] = [Figure(svg, caption, numbers)]
    rule = inputs.metrics.get("convergence")
    if not rule:
        text = "Whether the search converged is not known: too few models for Robyn's rule."
        blocks.append(Note(text, "missing"))
    else:
        blocks.append(_rule(rule))
    if trials := inputs.metrics.get("trials"):
        blocks += [Heading("Trials"), _trials(trials), Note(_ABOUT_TRIALS)]
    return Section("convergence", "Convergence", blocks)


_ABOUT_TRIALS = (
    "Each trial by itself, by the same rule. The table above has all of them together, as Robyn "
    "judges a search."
)
_STOPPED = {
    "iterations": "had its iterations",
    "converged": "converged",
    "limit": "reached the limit",
}


def _trials(trials: list[dict[str, Any]]) -> Table:
    """List how long each trial was, which errors converged and why it ended."""
    errors = list(trials[0]["objectives"])
    head = ["trial", "iterations", *(_ERRORS.get(error, error) for error in errors), "ended"]
    rows = [
        [
            Cell(str(trial["trial"]), number=True),
            Cell(in_words(trial["iterations"], "number"), number=True),
            *(Cell("converged" if trial["objectives"].get(e) else "not yet") for e in errors),
            Cell(_STOPPED.get(trial["stopped"], trial["stopped"])),
        ]
        for trial in trials
    ]
    return Table([Cell(title, index < 2) for index, title in enumerate(head)], rows)


def _rule(rule: dict[str, dict[str, float]]) -> Table:
    """Lay the last twentieth beside the limits of Robyn's rule."""
    head = ["error", "converged", "last spread", "limit", "last median", "limit"]
    rows = [
        [
            Cell(_ERRORS.get(error, error)),
            Cell("yes" if found.get("converged") else "no"),
            *(
                Cell(in_words(found.get(figure), "number"), number=True)
                for figure in ("last_sd", "sd_limit", "last_median", "median_limit")
            ),
        ]
        for error, found in sorted(rule.items())
    ]
    return Table([Cell(title, index > 1) for index, title in enumerate(head)], rows)
