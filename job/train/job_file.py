"""Make the job file that R reads: resolved values and local paths only."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contract.config import Config, Intervals, safe_name
from contract.training import ProphetVar, Sign
from job.runtime.workspace import Workspace


def r_job(
    config: Config,
    *,
    run_id: str,
    workspace: Workspace,
    cores: int,
    holidays: bool,
    window: tuple[str, str],
    nevergrad_python: Path,
) -> dict[str, Any]:
    """Return the job file of `r/run_all.R`; `window` is the first and last modelled period."""
    training = config.training
    roles = config.columns_by_role()
    context = [*config.context, *(c for c in config.factors if c not in config.context)]
    return {
        "run_id": run_id,
        "market": config.market,
        "revision": config.revision,
        "engine": training.engine.value,
        "search": training.search.value,
        "data_csv": str(workspace.data_csv),
        "holidays_csv": str(workspace.holidays_csv) if holidays else None,
        "output_dir": str(workspace.output),
        "work_dir": str(workspace.work),
        "progress_file": str(workspace.progress),
        "result_file": str(workspace.result),
        "date_column": safe_name(config.date.column),
        "frequency": config.date.frequency.value,
        "window_start": window[0],
        "window_end": window[1],
        "target": safe_name(config.target.column),
        "target_kind": config.target.kind.value,
        "channel_names": [channel.name for channel in config.channels],
        "channel_spends": _safe(roles["spend"]),
        "channel_exposures": _safe([c.exposure or c.spend for c in config.channels]),
        "channel_signs": [channel.sign.value for channel in config.channels],
        "organic": _safe(config.organic),
        "organic_signs": [config.signs.get(c, Sign.POSITIVE).value for c in config.organic],
        "context": _safe(context),
        "context_signs": [config.signs.get(c, Sign.DEFAULT).value for c in context],
        "factors": _safe(config.factors),
        "adstock": training.adstock.value,
        "trials": training.trials,
        "iterations": training.iterations,
        "max_iterations": training.max_iterations,
        "seed": training.seed,
        "cores": cores,
        "workers": training.workers,
        "trials_todo": list(range(1, training.trials + 1)),
        "merge": True,
        "hyperparameters": hyperparameters(config),
        "prophet_vars": [variable.value for variable in prophet_variables(config, holidays)],
        "prophet_signs": ["default"] * len(prophet_variables(config, holidays)),
        "prophet_country": holiday_country(config) if holidays else None,
        "ts_validation": training.ts_validation,
        "add_penalty_factor": training.add_penalty_factor,
        "intercept": training.intercept,
        "intercept_sign": training.intercept_sign,
        "rssd_zero_penalty": training.rssd_zero_penalty,
        "objective_weights": training.objective_weights,
        "nevergrad_algo": training.optimiser.value,
        "pareto_fronts": training.pareto_fronts,
        "min_candidates": training.min_candidates,
        "calibration_constraint": training.calibration_constraint,
        "calibration": [
            _calibration(config, lift.model_dump(mode="json")) for lift in config.calibration
        ],
        "allocator_scenarios": [a.model_dump(mode="json") for a in config.outputs.allocator],
        "onepagers": config.outputs.onepagers,
        "include_data": config.outputs.include_data,
        **_intervals(config.outputs.intervals),
        "python": str(nevergrad_python),
    }


def _intervals(intervals: Intervals) -> dict[str, Any]:
    return {
        "intervals_method": intervals.method.value,
        "intervals_level": intervals.level,
        "intervals_draws": intervals.draws,
        "intervals_block": None if intervals.block == "auto" else intervals.block,
    }


def hyperparameters(config: Config) -> dict[str, list[float]]:
    """Return the config's ranges by R's names; the engine has defaults for the others."""
    ranges = {
        safe_name(name): list(bounds) for name, bounds in config.training.hyperparameters.items()
    }
    if config.training.ts_validation:
        ranges.setdefault("train_size", list(config.training.train_size))
    return ranges


def holiday_country(config: Config) -> str:
    """Return the country whose holidays prophet uses."""
    return (config.training.holidays or config.market).upper()


def prophet_variables(config: Config, holidays: bool) -> list[ProphetVar]:
    """Return prophet's components; without a holidays table there is no holiday component."""
    return [v for v in config.training.prophet if holidays or v is not ProphetVar.HOLIDAY]


def find_rscript(name: str) -> str | None:
    """Return the path of Rscript, None if R is not installed."""
    return shutil.which(name)


def _safe(columns: Sequence[str]) -> list[str]:
    return [safe_name(column) for column in columns]


def _calibration(config: Config, lift: dict[str, Any]) -> dict[str, Any]:
    spends = {channel.name: safe_name(channel.spend) for channel in config.channels}
    return {
        "channel": "+".join(spends.get(p, safe_name(p)) for p in lift["channel"].split("+")),
        "liftStartDate": lift["start"],
        "liftEndDate": lift["end"],
        "liftAbs": lift["lift"],
        "spend": lift["spend"],
        "confidence": lift["confidence"],
        "metric": safe_name(config.target.column),
        "calibration_scope": lift["scope"],
    }
