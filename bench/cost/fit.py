"""Fit non-negative coefficients to measured runs, by least squares of relative errors."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from job.cost.model import PARTS, coefficient_key, terms
from job.cost.work import Work

SEARCH = Path(__file__).resolve().parents[1] / "search" / "result.json"


def fit(result: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return the seconds per unit of each term, by `coefficient_key`.

    Args:
        result: `runs`, each with `work` and `cpu` (seconds by part); `robyn_run`, see `of_search`.
    """
    runs = result["runs"]
    found: dict[str, list[tuple[dict[str, float], float]]] = defaultdict(list)
    for run in runs:
        work = Work.model_validate(run["work"])
        for part in PARTS:
            found[coefficient_key(part, work)].append((terms(part, work), run["cpu"][part]))
    return {name: _least_squares(pairs) for name, pairs in sorted(found.items())} | {
        "trials.robyn": _robyn_run(**result["robyn_run"])
    }


def _least_squares(pairs: list[tuple[dict[str, float], float]]) -> dict[str, float]:
    """Return non-negative coefficients: drop the most negative term until none is negative."""
    names = list(pairs[0][0])
    matrix = np.array([[sizes[name] for name in names] for sizes, _ in pairs])
    seconds = np.array([value for _, value in pairs])
    relative = matrix / seconds[:, None]
    used = [i for i in range(len(names)) if matrix[:, i].any()]
    while True:
        scale = np.abs(relative[:, used]).max(axis=0)
        solved, *_ = np.linalg.lstsq(relative[:, used] / scale, np.ones(len(pairs)), rcond=None)
        values = solved / scale
        if (values >= 0).all():
            break
        used.pop(int(np.argmin(solved)))
    made = dict.fromkeys(names, 0.0)
    made.update({names[i]: float(f"{value:.4g}") for i, value in zip(used, values, strict=True)})
    return made


def of_search() -> dict[str, float]:
    """Return what `bench/search` last measured of robyn_run, with 6 media and 157 weeks."""
    measured = json.loads(SEARCH.read_text())
    cases = {case["case"]: case["robyn"]["loop_ms"] for case in measured["cases"]}
    return {
        "geometric_ms": measured["main"]["robyn_one_core"]["loop_ms"],
        "weibull_ms": max(ms for case, ms in cases.items() if case.startswith("weibull")),
    }


def _robyn_run(geometric_ms: float, weibull_ms: float) -> dict[str, float]:
    one = geometric_ms / 1000
    return {
        "fixed": 5.0,
        "iterations": round(one, 4),
        "media": 0.0,
        "cells": 0.0,
        "weibull": round((weibull_ms / 1000 - one) / 6, 5),
        "weibull_cells": 0.0,
        "models": 0.0,
    }
