"""What decides how long a run takes."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Self

from contract.config import Config, Frequency
from contract.training import Adstock

PERIODS_A_YEAR = {Frequency.DAY: 365, Frequency.WEEK: 52, Frequency.MONTH: 12}


@dataclass(frozen=True, kw_only=True)
class Work:
    """The size of a run.

    Attributes:
        engine: robyn or builtin.
        search: fast or robyn.
        rows: periods of the extract.
        media: paid channels and organic columns, each with an adstock and a saturation.
        drivers: context columns and factors, events among them.
        weibull: whether the adstock is one of Weibull's two, which cost more than the geometric.
        trials, iterations: of the search, at most where trials go on until they converge.
        cores: trials that a task runs at once.
        tasks: tasks that share the trials.
        onepagers, scenarios: pictures of models and runs of the allocator at the end.
    """

    engine: str
    search: str
    rows: int
    media: int
    drivers: int
    weibull: bool
    trials: int
    iterations: int
    cores: int
    tasks: int
    onepagers: int
    scenarios: int

    @property
    def rounds(self) -> int:
        """Trials that one process does one after the other."""
        return math.ceil(math.ceil(self.trials / self.tasks) / self.cores)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Read what `to_json` made, by this version or another."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in document.items() if name in known})


def work_of(
    config: Config, *, engine: str, rows: int, cores: int, tasks: int, events: int = 0
) -> Work:
    """The work that a config asks for.

    Args:
        config: The resolved config.
        engine: robyn or builtin, whatever `auto` stands for.
        rows: Periods of the extract.
        cores: Trials that a task can run at once.
        tasks: Tasks that share the trials.
        events: Names of annotations.
    """
    roles = config.columns_by_role()
    training = config.training
    return Work(
        engine=engine,
        search=training.search.value,
        rows=rows,
        media=len(config.channels) + len(config.organic),
        drivers=len(roles["context"]) + len(roles["factor"]) + events,
        weibull=training.adstock is not Adstock.GEOMETRIC,
        trials=training.trials,
        iterations=training.max_iterations or training.iterations,
        cores=cores,
        tasks=min(tasks, training.trials),
        onepagers=config.outputs.onepagers,
        scenarios=len(config.outputs.allocator),
    )


def expected_rows(config: Config, *, today: date, last_run: int | None) -> tuple[int | None, str]:
    """Periods that the extract will have, and how that is known; None where it is not.

    The date window decides where both its ends are given. Else a past run knows better how far
    the data reaches than a window that is taken to end today.
    """
    window = rows_of_window(config, today=today)
    if last_run is not None and (window is None or config.date.end is None):
        return last_run, "the last run"
    return window, "the date window"


def rows_of_window(config: Config, *, today: date) -> int | None:
    """Periods from `date.start` to `date.end` or today; None where there is no start."""
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
