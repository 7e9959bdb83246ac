"""Predict the seconds of a run's parts as sums of terms, each a coefficient times a size.

The parts and their terms are:

rest      fixed (Python, R's start, extract, gate, tables, report, upload); one-pagers
inputs    fixed; rows (prophet's fit)
posterior per sweep media, more with Weibull, media² (chains of many media seldom agree at once, and
          then need twice the sweeps), and media x rows; see `predict`
trials    fixed; per iteration 1, media and media x rows, with Weibull also media x rows²;
          all models, which are written to tables at the end
outputs   fixed; all models; media, more with Weibull; one-pagers; allocator scenarios

Iterations are multiplied by rounds, the number of trials that one process runs one after the other.
`python -m bench.cost` measures runs and writes the coefficients to `coefficients.json`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from job.cost.work import Work

Part = Literal["rest", "inputs", "trials", "outputs", "posterior"]
PARTS: tuple[Part, ...] = ("rest", "inputs", "trials", "outputs", "posterior")


def terms(part: Part, work: Work) -> dict[str, float]:
    """Return the sizes that a part's coefficients are multiplied by."""
    models = float(work.trials * work.iterations)
    if part == "rest":
        return {"fixed": 1.0, "onepagers": float(work.onepagers)}
    if part == "inputs":
        return {"fixed": 1.0, "rows": float(work.rows)}
    if part == "posterior":
        media = float(work.sweeps * work.media)
        return {
            "media": media,
            "media_squared": media * work.media,
            "cells": media * work.rows,
            "weibull": media * work.weibull,
        }
    if part == "outputs":
        return {
            "fixed": 1.0,
            "models": models,
            "media": float(work.media),
            "weibull": float(work.media if work.weibull else 0),
            "onepagers": float(work.onepagers),
            "scenarios": float(work.scenarios),
        }
    iterations = float(work.rounds * work.iterations)
    weibull = iterations if work.weibull else 0.0
    return {
        "fixed": 1.0,
        "iterations": iterations,
        "media": iterations * work.media,
        "cells": iterations * work.media * work.rows,
        "weibull": weibull * work.media,
        "weibull_cells": weibull * work.media * work.rows**2,
        "models": models,
    }


def predict(work: Work) -> dict[Part, float]:
    """Return the seconds of each part on the machine that the coefficients were measured on.

    The posterior is drawn beside the other parts. With more than one core, it takes the cores that
    R leaves free while it prepares and writes; what is left makes the run longer.
    """
    seconds = {part: cpu_seconds(part, work) for part in PARTS}
    if work.cores > 1:
        free = seconds["inputs"] + seconds["outputs"]
        seconds["posterior"] = max(seconds["posterior"] - free, 0.0)
    return seconds


def cpu_seconds(part: Part, work: Work) -> float:
    """Return the seconds that a part takes on one core."""
    by_term = coefficients()[coefficient_key(part, work)]
    return sum(by_term[term] * size for term, size in terms(part, work).items())


def coefficient_key(part: Part, work: Work) -> str:
    """Return the key of a part's coefficients: its engine, or for trials its search."""
    if part == "posterior":
        return part
    return f"{part}.{work.search if part == 'trials' else work.engine}"


@cache
def _document() -> dict[str, Any]:
    text = files("job.cost").joinpath("coefficients.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def coefficients() -> dict[str, dict[str, float]]:
    """Return the seconds per unit of each term, by `coefficient_key`."""
    return dict(_document()["coefficients"])


def measured_on() -> str:
    """Return the date and the machine of the coefficients' measurement."""
    return f"{_document()['date']}, {_document()['machine']}"
