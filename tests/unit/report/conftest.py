"""A small finished training, as tables with the declared schemas."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import vl_convert

from contract.config import Config
from job.outputs.tables import SCHEMAS
from job.report import ReportInputs

RUN_ID = "20261123T090000Z-1a2b3c4d"
Make = Callable[..., ReportInputs]


def variables(channels: list[str]) -> list[tuple[str, str, str | None]]:
    """Return (variable, kind, channel) of every component."""
    fixed = [
        ("intercept", "intercept", None),
        ("trend", "prophet", None),
        ("season", "prophet", None),
        ("COMPETITOR", "context", None),
    ]
    paid = [(f"{name}_COST", "paid_media", name) for name in channels]
    return [*fixed, *paid, ("NEWSLETTER", "organic", "NEWSLETTER")]


def tables(channels: list[str], *, periods: int = 30, models: int = 60) -> dict[str, list[Any]]:
    """Return rows of every table."""
    rng = np.random.default_rng(7)
    parts = variables(channels)
    best = {"model_id": "1_2_1", "is_best_model": True}
    values = {name: float(rng.uniform(50, 150)) for name, _, _ in parts}
    decomposition, by_date, curves = [], [], []
    for variable, kind, channel in parts:
        total = values[variable] * periods
        row = {
            **best, "variable": variable, "kind": kind, "channel": channel, "coefficient": 1.5,
            "contribution": total, "contribution_share": values[variable] / sum(values.values()),
        }  # fmt: skip
        if kind == "paid_media":
            row |= {
                "spend": total / 2, "spend_share": 1 / len(channels), "roas": 2.0, "cpa": 0.5,
                "effect_share": 1 / len(channels), "carryover_share": 0.3,
                "interval_mean": 2.0, "interval_low": 1.25, "interval_high": 3.5,
                "interval_method": "cluster", "share_low": 0.11, "share_high": 0.22,
            }  # fmt: skip
        if kind in ("paid_media", "organic"):
            row |= {"mean_input": 40.0, "mean_response": values[variable]}
            curves += [
                {
                    **best, "variable": variable, "kind": kind, "channel": channel, "point": point,
                    "input": 10.0 * point, "response": 200.0 * point / (point + 4),
                    "marginal_response": 1.0, "is_observed": point < 8,
                }
                for point in range(1, 12)
            ]  # fmt: skip
        decomposition.append(row)
        decomposition.append({**row, "model_id": "other", "is_best_model": False})
        by_date += [
            {
                **best, "variable": variable, "kind": kind, "channel": channel,
                "date": date(2025, 1, 6) + timedelta(weeks=index), "contribution": values[variable],
                "actual": sum(values.values()) + index, "predicted": sum(values.values()),
            }
            for index in range(periods)
        ]  # fmt: skip
    fit = {"mape": 0.0, "rsq_train": 0.93}
    pareto = [
        {
            **fit, "model_id": f"1_{i}_1", "trial": 1 + i % 3, "iteration": 1 + i // 3,
            "nrmse": float(rng.uniform(0.05, 0.3)), "decomp_rssd": float(rng.uniform(0.01, 0.6)),
            "pareto_front": 1 if i < 10 else None, "is_candidate": i < 10, "is_best_model": i == 2,
        }
        for i in range(models)
    ]  # fmt: skip
    candidates = [
        {
            **{k: row[k] for k in ("model_id", "trial", "iteration", "nrmse", "decomp_rssd")},
            **fit, "is_best_model": row["is_best_model"], "is_cluster_winner": i in (2, 5),
            "cluster": 1, "pareto_front": 1, "error_score": 0.1 + i, "hyperparameters": [],
        }
        for i, row in enumerate(pareto[:10])
    ]  # fmt: skip
    allocation = [
        {
            **best, "scenario_number": 1, "scenario": "max_response", "variable": f"{name}_COST",
            "channel": name, "periods": periods, "is_feasible": True, "spend_now": 50.0,
            "spend_optimal": 60.0, "lower_bound": 25.0, "upper_bound": 100.0, "response_now": 100.0,
            "response_optimal": 110.0,
        }
        for name in channels
    ]  # fmt: skip
    return {
        "models": candidates, "decomposition": decomposition, "decomposition_by_date": by_date,
        "response_curves": curves, "allocation": allocation, "pareto": pareto,
    }  # fmt: skip


def metrics() -> dict[str, Any]:
    """Return a `metrics.json`."""
    rule = {
        "converged": False, "last_sd": 0.05, "sd_limit": 0.02, "last_median": 0.2,
        "median_limit": 0.3,
    }  # fmt: skip
    findings = [
        {
            "check": "convergence", "level": "REVIEW", "sentence": "the search has not ended",
            "figure": 0.8, "threshold": 0.2, "channels": [],
        },
        {"check": "fit", "level": "PASS", "sentence": "The chosen model fits the target"},
    ]  # fmt: skip
    return {
        "verdict": {"verdict": "REVIEW", "findings": findings},
        "best_model": "1_2_1", "rsq_train": 0.934, "nrmse": 0.071, "nrmse_train": 0.071,
        "decomp_rssd": 0.012, "mape": 0, "window_start": "2025-01-06", "window_end": "2025-07-28",
        "rows": 30, "intervals": {"method": "cluster", "level": 0.95},
        "trials": [
            {
                "trial": k, "iterations": 20, "converged": False, "stopped": "iterations",
                "objectives": {"decomp_rssd": False, "nrmse": True},
            }
            for k in (1, 2, 3)
        ],
        "convergence": {"nrmse": rule, "decomp_rssd": {**rule, "converged": True}},
        "models": {"tried": 60, "candidates": 10},
    }  # fmt: skip


def config(channels: list[str], **changes: Any) -> Config:
    """Return a config of these channels."""
    document = {
        "version": 1,
        "market": "DE",
        "revision": "r1",
        "source": {"type": "file", "path": "data.csv"},
        "date": {"column": "DATE", "frequency": "week"},
        "target": {"column": "REVENUE", "kind": "revenue"},
        "channels": [{"name": n, "spend": f"{n}_COST"} for n in channels],
        "organic": ["NEWSLETTER"],
        "context": ["COMPETITOR"],
    }
    return Config.model_validate({**document, **changes})


@pytest.fixture(autouse=True, scope="session")
def _draw_once() -> Iterator[None]:
    """Draw equal charts once: most tests render the same ones."""
    draw, drawn = vl_convert.vegalite_to_svg, dict[str, str]()

    def remembered(specification: dict[str, Any], **options: Any) -> str:
        key = json.dumps(specification)
        if key not in drawn:
            drawn[key] = draw(specification, **options)
        return drawn[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vl_convert, "vegalite_to_svg", remembered)
        yield


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that creates inputs; each part can be replaced."""
    count = itertools.count()

    def maker(
        *,
        channels: list[str] | None = None,
        rows: Mapping[str, list[Any]] | None = None,
        run: Mapping[str, Any] | None = None,
        quality: Mapping[str, Any] | None = None,
        figures: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> ReportInputs:
        names = channels or ["tv", "search", "radio"]
        folder = tmp_path / f"tables{next(count)}"
        folder.mkdir()
        for name, found in {**tables(names), **(rows or {})}.items():
            table = pa.Table.from_pylist(found, schema=SCHEMAS[name])
            pq.write_table(table, folder / f"{name}.parquet")
        return ReportInputs(
            tables=folder,
            metrics={**metrics(), **(figures or {})},
            config=config(["tv", "search", "radio"], **changes),
            run={"run_id": RUN_ID, "engine": "builtin", "search": "fast", **(run or {})},
            quality=quality,
        )

    return maker
