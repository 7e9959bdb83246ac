"""The training step: prepare R's files, run R on this task's trials, store each finished trial."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.parquet as pq

from contract import layout
from contract.exceptions import CancelledError, MMMError
from contract.training import ProphetVar
from job.attempt import checkpoints
from job.attempt.context import Attempt
from job.attempt.tasks import LeftRun, claim_all_trials, claim_merge, let_tasks_start, trials_of
from job.runtime.signals import seconds_left
from job.sources import Snapshot
from job.sources.annotations import with_annotations
from job.train.holidays import UnknownCountryError, holidays_table
from job.train.job_file import holiday_country, r_job
from job.train.process import run_r

INPUTS = "inputs.rds"
MARK_SECONDS = 4.5  # reserved for writing the final status


def train(attempt: Attempt, snapshot: Snapshot) -> dict[str, Any] | LeftRun:
    """Train the task's trials; return R's result, or LeftRun if another task makes the outputs.

    A single task computes inputs, trials and outputs in one R process.
    """
    store, run_id, task = attempt.store, attempt.run_id, attempt.settings.task_index
    trials = attempt.config.training.trials
    with attempt.trace.step("train") as detail:
        job = _prepare(attempt, snapshot)
        stored = set(_restore(attempt))
        detail["resumed_trials"] = len(stored)
        if attempt.tasks > 1:
            mine = trials_of(task, attempt.tasks, trials)
            detail["own_trials"] = len(mine)
            _run_r(attempt, {**job, "trials_todo": mine, "merge": False}, stored)
            if not claim_merge(store, run_id, task=task, trials=trials):
                return LeftRun(reason="its trials are done; another task makes the outputs")
            stored |= set(_restore(attempt))
        elif not claim_all_trials(
            store, run_id, task=task, tasks=attempt.config.training.tasks, trials=trials
        ):
            return LeftRun(reason="another task of the run makes the outputs")
        result = _run_r(attempt, job, stored)
        attempt.warnings.extend(str(warning) for warning in result.get("warnings") or [])
        failed_selfcheck = (result.get("selfcheck") or {}).get("warning")
        # The event carries only the first warnings.
        attempt.warnings.sort(key=lambda text: text != failed_selfcheck)
        detail.update(
            engine=result["engine"],
            search=result["search"],
            best_model=result["best_model"],
            trials=trials,
            iterations=attempt.config.training.iterations,
            trial_iterations=result["trial_iterations"],
        )
    return result


def _prepare(attempt: Attempt, snapshot: Snapshot) -> dict[str, Any]:
    """Write data and holidays; return the content of the job file."""
    holidays = _write_holidays(attempt, snapshot)
    pyarrow.csv.write_csv(pq.read_table(attempt.workspace.snapshot), attempt.workspace.data_csv)
    window = (
        str(attempt.config.date.window_start or snapshot.first_date),
        str(attempt.config.date.window_end or snapshot.last_date),
    )
    return r_job(
        with_annotations(attempt.config, snapshot.annotations),
        run_id=attempt.run_id,
        workspace=attempt.workspace,
        cores=attempt.cores,
        holidays=holidays,
        window=window,
        nevergrad_python=attempt.settings.nevergrad_python,
    )


def _restore(attempt: Attempt) -> list[str]:
    checkpoints.restore(attempt.store, attempt.run_id, INPUTS, attempt.workspace.work / INPUTS)
    return checkpoints.restore_trials(attempt.store, attempt.run_id, attempt.workspace.trials)


def _run_r(attempt: Attempt, job: dict[str, Any], stored: set[str]) -> dict[str, Any]:
    """Run R; `stored` names the trials that the store has."""

    def on_progress(record: dict[str, Any]) -> None:
        if record.get("type") in ("checkpoint", "step"):
            attempt.check()
        if record.get("type") == "checkpoint":
            file = Path(record["path"])
            checkpoints.save(attempt.store, attempt.run_id, f"{layout.TRIALS}{file.name}", file)
            stored.add(file.name)
            attempt.log.info(f"trial {record.get('trial')} is done and stored", source="R")
        elif record.get("type") == "step" and record.get("state") == "finished":
            if record.get("step") == "inputs":
                checkpoints.save(
                    attempt.store, attempt.run_id, INPUTS, attempt.workspace.work / INPUTS
                )
                let_tasks_start(attempt.store, attempt.run_id)
            attempt.log.info(f"{record.get('step')} done in {record.get('seconds')} s", source="R")
        attempt.on_progress(record)

    attempt.workspace.job_json.write_text(json.dumps(job, indent=2, ensure_ascii=False))
    try:
        return run_r(
            attempt.workspace,
            r_root=attempt.settings.r_root,
            rscript=attempt.settings.rscript,
            log=attempt.log,
            on_progress=on_progress,
            stop=attempt.stop,
        )
    except CancelledError:
        _store_finished(attempt, stored)
        raise


def _store_finished(attempt: Attempt, stored: set[str]) -> None:
    """Store finished trials that are not stored yet, while there is time left."""
    for file in sorted(attempt.workspace.trials.glob("*.rds")):
        if file.name in stored or seconds_left() < MARK_SECONDS:
            continue
        try:
            attempt.check()
            checkpoints.save(attempt.store, attempt.run_id, f"{layout.TRIALS}{file.name}", file)
        except MMMError as error:  # CancelledError too: a run that has ended keeps nothing more
            attempt.log.warning(f"`{file.name}` is not stored: {error}")
            return


def _write_holidays(attempt: Attempt, snapshot: Snapshot) -> bool:
    """Write the country's holidays for prophet; return False if the config does not use them."""
    if ProphetVar.HOLIDAY not in attempt.config.training.prophet:
        return False
    country = holiday_country(attempt.config)
    try:
        table = holidays_table(country, snapshot.first_date, snapshot.last_date)
    except UnknownCountryError:
        if attempt.config.training.holidays:
            raise
        text = f"market `{country}` is not a country; prophet works without holidays"
        attempt.log.warning(f"{text} (set `training.holidays` to choose a country)")
        attempt.warnings.append(text)
        return False
    table.to_csv(attempt.workspace.holidays_csv, index=False)
    return True
