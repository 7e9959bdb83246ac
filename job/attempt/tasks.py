"""Share a run's trials among the tasks of one execution.

Task 0 extracts the data, checks it, prepares the inputs and writes `go.json`. Of n tasks, task i
trains the trials i+1, i+1+n, i+1+2n, … Every finished trial is a checkpoint in the store. A task
that finds all of them there after its own tries to write `merge.json`. The one that succeeds makes
the outputs, and the others exit. A retry of the merging task finds its number there and continues.

A person may start an execution with a single task for a run that other tasks share. It trains all
trials, so it writes `merge.json` before it begins; if another task merges, it exits. Two tasks hold
two leases, and only `merge.json` keeps both from writing artifacts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from contract import layout
from contract.base import canonical_json
from contract.exceptions import CancelledError, NotFoundError, TransientError
from contract.run import read_status
from contract.stored import read_fields
from contract.stores import Store
from contract.stores.atomic import create

GO = "go.json"
MERGE = "merge.json"
POLL_SECONDS = 1.0
PATIENCE_SECONDS = 30 * 60


@dataclass(frozen=True, kw_only=True)
class LeftRun:
    """This task has nothing more to do for the run; `reason` says why."""

    reason: str


def trials_of(task: int, tasks: int, trials: int) -> list[int]:
    """Return the trials of one task, counted from 1.

    >>> trials_of(0, 2, 5), trials_of(1, 2, 5)
    ([1, 3, 5], [2, 4])
    """
    return list(range(task + 1, trials + 1, tasks))


def let_tasks_start(store: Store, run_id: str) -> None:
    """Let the other tasks start, once extract and inputs are stored and the gate has passed."""
    create(store, layout.work(run_id, GO), canonical_json({}))


def wait_for_inputs(
    store: Store,
    run_id: str,
    *,
    execution: str,
    stop: Callable[[], str | None],
    patience: float = PATIENCE_SECONDS,
) -> LeftRun | None:
    """Wait until task 0 lets the others start; return None then.

    Raises:
        TransientError: task 0 has not finished the inputs within `patience` seconds.
        CancelledError: this task must stop.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if store.stat(layout.work(run_id, GO)) is not None:
            return None
        status = read_status(store, run_id)
        if status is not None and status.state.is_terminal:
            return LeftRun(reason=f"the run has ended: {status.state}")
        if status is not None and status.has_left(execution):
            return LeftRun(reason=f"the run waits for run {status.waits_for} on its market")
        if reason := stop():
            raise CancelledError(reason)
        time.sleep(POLL_SECONDS)
    raise TransientError(f"task 0 has not made the inputs within {patience:.0f} s")


def claim_merge(store: Store, run_id: str, *, task: int, trials: int) -> bool:
    """Return True if all trials are stored and this task has claimed the outputs."""
    finished = sum(1 for _ in store.list(layout.trials(run_id)))
    return finished >= trials and _claim(store, run_id, task)


def claim_all_trials(store: Store, run_id: str, *, task: int, tasks: int, trials: int) -> bool:
    """Return True if an execution's single task may do the whole run; claim the outputs if needed.

    Args:
        store: The bucket.
        run_id: The run.
        task: This task's index.
        tasks: The number of tasks in the config.
        trials: The number of trials of the run.
    """
    return min(tasks, trials) == 1 or _claim(store, run_id, task)


def _claim(store: Store, run_id: str, task: int) -> bool:
    """Claim that this task makes the outputs; return False if another one has claimed it."""
    path = layout.work(run_id, MERGE)
    mine = {"task": task}
    if create(store, path, canonical_json(mine)):
        return True
    try:
        return read_fields(store.read(path).data, path=path) == mine
    except NotFoundError:
        return False
