"""The training step: prepare R's files, run R on this task's trials, keep every finished one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.parquet as pq

from contract.exceptions import CancelledError, MMMError
from contract.training import ProphetVar
from job.attempt import checkpoints
from job.attempt.context import Run
from job.attempt.tasks import Left, may_do_all, may_merge, say_go, trials_of
from job.runtime.signals import seconds_left
from job.sources import Snapshot
from job.sources.events import with_events
from job.train.holidays import UnknownCountryError, holidays_table
from job.train.job_file import holiday_country, r_job
from job.train.process import run_r

INPUTS = "inputs.rds"
MARK_SECONDS = 3.0  # what writing the end into the status may take


def train(run: Run, snapshot: Snapshot) -> dict[str, Any] | Left:
    """R's result, or that another task makes the outputs.

    One task alone does inputs, trials and outputs in a single R process.
    """
    trials = run.config.training.trials
    with run.trace.step("train") as detail:
        job = _prepare(run, snapshot)
        kept = set(_restore(run))
        detail["resumed_trials"] = len(kept)
        if run.tasks > 1:
            mine = trials_of(run.settings.task_index, run.tasks, trials)
            detail["own_trials"] = len(mine)
            _run_r(run, {**job, "trials_todo": mine, "merge": False}, kept)
            if not may_merge(run):
                return Left(reason="its trials are done; another task makes the outputs")
            kept |= set(_restore(run))
        elif not may_do_all(run):
            return Left(reason="another task of the run makes the outputs")
        result = _run_r(run, job, kept)
        run.warnings.extend(str(warning) for warning in result.get("warnings") or [])
        distrust = (result.get("selfcheck") or {}).get("warning")
        run.warnings.sort(key=lambda text: text != distrust)  # the event has the first ones only
        detail.update(
            engine=result["engine"],
            search=result["search"],
            best_model=result["best_model"],
            trials=trials,
            iterations=run.config.training.iterations,
            trial_iterations=result["trial_iterations"],
        )
    return result


def _prepare(run: Run, snapshot: Snapshot) -> dict[str, Any]:
    """Write data and holidays; returns the content of the job file."""
    holidays = _write_holidays(run, snapshot)
    pyarrow.csv.write_csv(pq.read_table(run.workspace.snapshot), run.workspace.data_csv)
    window = (
        str(run.config.date.window_start or snapshot.first_date),
        str(run.config.date.window_end or snapshot.last_date),
    )
    return r_job(
        with_events(run.config, snapshot.annotations),
        run_id=run.run_id,
        workspace=run.workspace,
        cores=run.cores,
        holidays=holidays,
        window=window,
    )


def _restore(run: Run) -> list[str]:
    checkpoints.restore(run.store, run.run_id, INPUTS, run.workspace.work / INPUTS)
    return checkpoints.restore_trials(run.store, run.run_id, run.workspace.trials)


def _run_r(run: Run, job: dict[str, Any], kept: set[str]) -> dict[str, Any]:
    """Run R; `kept` are the names of the trials that the store has."""

    def on_progress(record: dict[str, Any]) -> None:
        if record.get("type") == "checkpoint":
            file = Path(record["path"])
            checkpoints.save(run.store, run.run_id, f"trials/{file.name}", file)
            kept.add(file.name)
            run.log.info(f"trial {record.get('trial')} is done and kept", source="R")
        elif record.get("type") == "step" and record.get("state") == "finished":
            if record.get("step") == "inputs":
                checkpoints.save(run.store, run.run_id, INPUTS, run.workspace.work / INPUTS)
                say_go(run)
            run.log.info(f"{record.get('step')} done in {record.get('seconds')} s", source="R")
        run.on_progress(record)

    run.workspace.job_json.write_text(json.dumps(job, indent=2, ensure_ascii=False))
    try:
        return run_r(
            run.workspace,
            r_root=run.settings.r_root,
            rscript=run.settings.rscript,
            log=run.log,
            on_progress=on_progress,
            stop=run.stop,
        )
    except CancelledError:
        _keep_finished(run, kept)
        raise


def _keep_finished(run: Run, kept: set[str]) -> None:
    """Keep trials that R has finished and nobody has kept yet, as long as there is time for it."""
    for file in sorted(run.workspace.trials.glob("*.rds")):
        if file.name in kept or seconds_left() < MARK_SECONDS:
            continue
        try:
            checkpoints.save(run.store, run.run_id, f"trials/{file.name}", file)
        except MMMError as error:
            run.log.warning(f"`{file.name}` could not be kept: {error}")
            return


def _write_holidays(run: Run, snapshot: Snapshot) -> bool:
    """The country's holidays for prophet; False where the config does without them."""
    if ProphetVar.HOLIDAY not in run.config.training.prophet:
        return False
    country = holiday_country(run.config)
    try:
        table = holidays_table(country, snapshot.first_date, snapshot.last_date)
    except UnknownCountryError:
        if run.config.training.holidays:
            raise
        text = f"market `{country}` is no country; prophet works without holidays"
        run.log.warning(f"{text} (set `training.holidays` to choose a country)")
        run.warnings.append(text)
        return False
    table.to_csv(run.workspace.holidays_csv, index=False)
    return True
