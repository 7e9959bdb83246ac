"""Several tasks of one execution share a run's trials.

Task 0 extracts, checks and makes the inputs, and says `go`; of n tasks, task i takes the trials
i+1, i+1+n, i+1+2n, … Every finished trial is a checkpoint in the store. Whoever finds all of them
there after its own tries to write `merge.json`; the one that succeeds makes the outputs, the others
leave. Whoever takes over the lease of the merging task finds the task's number there and goes on.

An execution with a single task, as a person starts one, may join a run that others share. It does
all trials, so it says in `merge.json` that it merges before it begins; if another task does, it
leaves. Two tasks hold two leases, and only this object keeps both from writing artifacts.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from contract import layout
from contract.base import canonical_json
from contract.exceptions import CancelledError, NotFoundError, PreconditionError, TransientError
from contract.run import read_status
from contract.stored import read_fields
from job.attempt.context import Run

GO = "go.json"
MERGE = "merge.json"
POLL_SECONDS = 1.0
PATIENCE_SECONDS = 30 * 60


@dataclass(frozen=True, kw_only=True)
class Left:
    """This task has nothing more to do; `reason` says why."""

    reason: str


def trials_of(task: int, tasks: int, trials: int) -> list[int]:
    """The trials of one task, counted from 1.

    >>> trials_of(0, 2, 5), trials_of(1, 2, 5)
    ([1, 3, 5], [2, 4])
    """
    return list(range(task + 1, trials + 1, tasks))


def say_go(run: Run) -> None:
    """Tell the other tasks that extract and inputs are there and worth training on."""
    try:
        run.store.write(layout.work(run.run_id, GO), canonical_json({}), if_generation=0)
    except PreconditionError:
        return


def wait_for_go(run: Run, *, patience: float = PATIENCE_SECONDS) -> Left | None:
    """Wait until task 0 has said go; None then.

    Raises:
        TransientError: it has not within `patience` seconds.
        CancelledError: this task was told to stop.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if run.store.stat(layout.work(run.run_id, GO)) is not None:
            return None
        status = read_status(run.store, run.run_id)
        if status is not None and status.state.is_terminal:
            return Left(reason=f"the run has ended: {status.state}")
        if status is not None and status.has_left(run.settings.execution):
            return Left(reason=f"the run waits for run {status.waits_for} on its market")
        if reason := run.stop():
            raise CancelledError(reason)
        time.sleep(POLL_SECONDS)
    raise TransientError(f"task 0 has not made the inputs within {patience:.0f} s")


def finished_trials(run: Run) -> int:
    """How many trials have a checkpoint."""
    return sum(1 for _ in run.store.list(layout.work(run.run_id, "trials/")))


def may_merge(run: Run) -> bool:
    """Whether this task makes the outputs: all trials are there and nobody else is at it."""
    return finished_trials(run) >= run.config.training.trials and is_merging(run)


def may_do_all(run: Run) -> bool:
    """Whether the single task of an execution may do the whole run: no other task merges it."""
    training = run.config.training
    return min(training.tasks, training.trials) == 1 or is_merging(run)


def is_merging(run: Run) -> bool:
    """Say that this task makes the outputs; False where another one has said so before."""
    path = layout.work(run.run_id, MERGE)
    mine = {"task": run.settings.task_index}
    try:
        run.store.write(path, canonical_json(mine), if_generation=0)
    except PreconditionError:
        try:
            return read_fields(run.store.read(path).data, path=path) == mine
        except NotFoundError:
            return False
    return True
