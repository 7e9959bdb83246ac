"""The size of a run, which decides how long it takes."""

from __future__ import annotations

import math
from datetime import date

from pydantic import ConfigDict

from contract import facts
from contract.config import Config, Frequency
from contract.hyperparameters import Adstock

PERIODS_A_YEAR = {Frequency.DAY: 365, Frequency.WEEK: 52, Frequency.MONTH: 12}


class Work(facts.Work):
    """The size of a run, with what follows from it; unknown values are left out."""

    model_config = ConfigDict(extra="ignore")

    @property
    def rounds(self) -> int:
        """Return the number of trials that one process runs one after the other."""
        return math.ceil(math.ceil(self.trials / self.tasks) / self.cores)


def work_of(
    config: Config, *, engine: str, rows: int, cores: int, tasks: int, annotations: int = 0
) -> Work:
    """Return the work of a config.

    Args:
        config: The resolved config.
        engine: The engine that runs, robyn or builtin.
        rows: The periods of the extract.
        cores: The trials that a task can run in parallel.
        tasks: The tasks that share the trials.
        annotations: The number of factors that the dated events add.
    """
    roles = config.columns_by_role()
    training = config.training
    return Work(
        engine=engine,
        search=training.search.value,
        rows=rows,
        media=len(config.channels) + len(config.organic),
        drivers=len(roles["context"]) + len(roles["factor"]) + annotations,
        weibull=training.adstock is not Adstock.GEOMETRIC,
        trials=training.trials,
        iterations=training.max_iterations or training.iterations,
        cores=cores,
        tasks=min(tasks, training.trials),
        onepagers=config.outputs.onepagers,
        scenarios=len(config.outputs.allocator),
        sweeps=_sweeps(config, tasks),
    )


def _sweeps(config: Config, tasks: int) -> int:
    """Return the most sweeps that one of the tasks draws; see `job.posterior.step`."""
    if not config.posterior.enabled:
        return 0
    drawn, folds = config.posterior, config.outputs.validation.folds
    parts = [drawn.sweeps] * (2 if config.calibration else 1) + [folds * drawn.fold_sweeps]
    return max(sum(parts[task::tasks]) for task in range(tasks))


def expected_rows(config: Config, *, today: date, last_run: int | None) -> tuple[int | None, str]:
    """Return (expected periods of the extract, source of this number), or None if unknown.

    A date window with both ends decides. Otherwise the last run is a better guide than a window
    that is assumed to end today.
    """
    window = rows_of_window(config, today=today)
    if last_run is not None and (window is None or config.date.end is None):
        return last_run, "the last run"
    return window, "the date window"


def rows_of_window(config: Config, *, today: date) -> int | None:
    """Return the periods from `date.start` to `date.end` or today; None without `date.start`."""
    window = config.date
    if window.start is None:
        return None
    last = min(window.end or today, today) if window.start <= today else window.end or window.start
    days = max((last - window.start).days, 0)
    if window.frequency is Frequency.DAY:
        return days + 1
    if window.frequency is Frequency.WEEK:
        return days // 7 + 1
    return (last.year - window.start.year) * 12 + last.month - window.start.month + 1
