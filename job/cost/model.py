"""Seconds of a run's parts: sums of terms, each a coefficient times a size of the work.

rest      fixed: Python, R's start, extract, gate, tables, report, upload; one-pagers
inputs    fixed; rows: prophet's fit
trials    fixed; for each iteration 1, media, media x rows, with Weibull also media x rows²;
          all models, which are put into tables at the end
outputs   fixed; all models; media, with Weibull more; one-pagers; allocator scenarios

Iterations count in rounds: trials that one process does one after the other. The coefficients are
in `coefficients.json`, written by `python -m bench.cost` from measured runs.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from job.cost.work import Work

Part = Literal["rest", "inputs", "trials", "outputs"]
PARTS: tuple[Part, ...] = ("rest", "inputs", "trials", "outputs")


def terms(part: Part, work: Work) -> dict[str, float]:
    """The sizes that a part's coefficients are multiplied with."""
    models = float(work.trials * work.iterations)
    if part == "rest":
        return {"fixed": 1.0, "onepagers": float(work.onepagers)}
    if part == "inputs":
        return {"fixed": 1.0, "rows": float(work.rows)}
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
    """Seconds of each part on the machine that the coefficients were measured on."""
    known = coefficients()
    return {
        part: sum(
            known[variant(part, work)][term] * size for term, size in terms(part, work).items()
        )
        for part in PARTS
    }


def variant(part: Part, work: Work) -> str:
    """Under which name a part's coefficients are kept: by engine, the trials by search."""
    return f"{part}.{work.search if part == 'trials' else work.engine}"


@cache
def _document() -> dict[str, Any]:
    text = files("job.cost").joinpath("coefficients.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def coefficients() -> dict[str, dict[str, float]]:
    """Seconds per unit of each term, by `variant`."""
    return dict(_document()["coefficients"])


def measured_on() -> str:
    """When and on what machine the coefficients were measured."""
    return f"{_document()['date']}, {_document()['machine']}"
