"""The sections about the search: the Pareto front and the convergence of the errors."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from job.gate.wording import joined, quantity
from job.report import charts
from job.report.blocks import (
    Block,
    Cell,
    Figure,
    Heading,
    Note,
    Section,
    Table,
    format_value,
    table,
)
from job.report.inputs import ReportInputs
from job.report.svg import draw

MAX_DRAWN = 1200  # models that are not candidates; more would only make the cloud darker
CUTS = 20  # quantiles of the iterations, as in Robyn's rule
_ERRORS = {"nrmse": "NRMSE", "decomp_rssd": "DECOMP.RSSD", "mape": "MAPE of lift"}


def pareto(inputs: ReportInputs) -> Section:
    """Show all models by NRMSE and DECOMP.RSSD, and mark the chosen one."""
    models = inputs.table("pareto", best=False)
    candidates = inputs.table("models", best=False)
    is_winner = candidates["is_cluster_winner"].fillna(value=False)
    winners = candidates[is_winner].sort_values("error_score")
    kind = np.select(
        [
            models["is_best_model"].fillna(value=False),
            models["model_id"].isin(winners["model_id"]),
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
            "tooltip": [
                f"{name}; NRMSE {format_value(x, 'number')}; "
                f"DECOMP.RSSD {format_value(y, 'number')}"
                for name, x, y in zip(
                    models["model_id"], models["nrmse"], models["decomp_rssd"], strict=True
                )
            ],
        }
    )
    drawn = _sample(frame)
    caption = (
        f"The search tried {format_value(len(frame), 'number')} models. "
        f"{format_value(int((kind != 'model').sum()), 'number')} of them are on the first "
        f"{_fronts(inputs)} and are candidates. The chart shows "
        f"{format_value(len(drawn), 'number')} models: all candidates, and a sample of the others "
        "without the worst tenth. The chosen model is "
        "the cluster winner with the lowest error score."
    )
    says = "Each point is a model that the search tried; the chosen one has small errors in both."
    svg = draw(partial(charts.pareto, frame=drawn), name="pareto", description=caption)
    numbers = table(
        winners,
        {
            "model_id": ("cluster winner", "text"),
            "error_score": ("error score", "number"),
            "rsq_train": ("R²", "ratio"),
            "nrmse": ("NRMSE", "number"),
            "decomp_rssd": ("DECOMP.RSSD", "number"),
            **({"mape": ("MAPE of lift", "number")} if inputs.config.calibration else {}),
        },
    )
    return Section(
        "pareto", "Pareto front", [Figure(svg, says, caption, numbers)], is_appendix=True
    )


def _fronts(inputs: ReportInputs) -> str:
    fronts = (inputs.metrics.get("models") or {}).get("pareto_fronts")
    return "Pareto fronts" if fronts is None else quantity(int(fronts), "Pareto front")


def _sample(frame: pd.DataFrame) -> pd.DataFrame:
    """Return every candidate and an even sample of the other models.

    The sample has finite errors only, and no error above its 90th percentile.
    """
    finite = frame[np.isfinite(frame["nrmse"]) & np.isfinite(frame["rssd"])]
    rest = finite[finite["kind"] == "model"]
    for error in ("nrmse", "rssd"):
        rest = rest[rest[error] <= rest[error].quantile(0.9)]
    if len(rest) > MAX_DRAWN:
        rest = rest.iloc[np.linspace(0, len(rest) - 1, MAX_DRAWN).round().astype(int)]
    drawn: pd.DataFrame = pd.concat([rest, finite[finite["kind"] != "model"]], ignore_index=True)
    return drawn


def convergence(inputs: ReportInputs) -> Section:
    """Show the errors over the iterations, and whether the search converged by Robyn's rule."""
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
        f"The errors over the search, in steps of one twentieth: {len(lengths)} trials of {upto}"
        f"{format_value(last, 'number')} iterations. The line is the median; the band covers 80% "
        "of the models."
    )
    numbers = table(
        frame,
        {
            "measure": ("error", "text"),
            "iteration": ("up to iteration", "number"),
            "low": ("10%", "number"),
            "median": ("median", "number"),
            "high": ("90%", "number"),
        },
    )
    rule = inputs.metrics.get("convergence")
    svg = draw(partial(charts.convergence, frame=frame), name="convergence", description=caption)
    blocks: list[Block] = [Figure(svg, _ended(rule), caption, numbers)]
    if not rule:
        text = "Convergence is unknown: the search has too few models for Robyn's rule."
        blocks.append(Note(text, "missing"))
    else:
        blocks.append(_rule(rule))
    if trials := inputs.metrics.get("trials"):
        blocks += [Heading("Trials"), _trials(trials), Note(_ABOUT_TRIALS)]
    return Section("convergence", "Convergence of the search", blocks, is_appendix=True)


def _ended(rule: dict[str, dict[str, float]] | None) -> str:
    """Say whether the search had ended."""
    if not rule:
        return "Whether the search had found its best models is unknown."
    late = [_ERRORS.get(name, name) for name, found in rule.items() if not found.get("converged")]
    if not late:
        return "The search had found its best models: all errors have converged."
    return f"The search might have found better models: {joined(late)} had not converged."


_ABOUT_TRIALS = (
    "This table applies the rule to each trial. The table above applies it to all trials together, "
    "as Robyn does."
)
_STOPPED = {
    "iterations": "completed its iterations",
    "converged": "converged",
    "limit": "reached the limit",
}


def _trials(trials: list[dict[str, Any]]) -> Table:
    """List each trial's iterations, the errors that converged and the reason for its end."""
    errors = list(trials[0]["objectives"])
    names = [_ERRORS.get(error, error) for error in errors]
    head = ["trial", "iterations", *names, "reason for end"]
    rows = [
        [
            Cell(str(trial["trial"])),
            Cell(format_value(trial["iterations"], "number"), number=True),
            *(Cell("converged" if trial["objectives"].get(e) else "not yet") for e in errors),
            Cell(_STOPPED.get(trial["stopped"], trial["stopped"])),
        ]
        for trial in trials
    ]
    return Table([Cell(title, index == 1) for index, title in enumerate(head)], rows)


def _rule(rule: dict[str, dict[str, float]]) -> Table:
    """Compare the last twentieth of the search with the limits of Robyn's rule."""
    head = ["error", "converged", "last SD", "limit", "last median", "limit"]
    rows = [
        [
            Cell(_ERRORS.get(error, error)),
            Cell("yes" if figures.get("converged") else "no"),
            *(
                Cell(format_value(figures.get(figure), "number"), number=True)
                for figure in ("last_sd", "sd_limit", "last_median", "median_limit")
            ),
        ]
        for error, figures in sorted(rule.items())
    ]
    return Table([Cell(title, index > 1) for index, title in enumerate(head)], rows)
