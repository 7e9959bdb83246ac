"""Tasks that share a run: one of them makes the outputs, whichever execution it belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract import layout
from contract.stores.folder import FolderStore
from job.attempt.tasks import claim_all_trials, claim_merge, trials_of

RUN = "20261123T020000Z-1a2b3c4d"


def merges(store: FolderStore, task: int) -> bool:
    return claim_merge(store, RUN, task=task, trials=4)


def trains_all(store: FolderStore, task: int, *, tasks: int = 2) -> bool:
    return claim_all_trials(store, RUN, task=task, tasks=tasks, trials=4)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def finish(store: FolderStore, *trials: int) -> None:
    for trial in trials:
        store.write(layout.work(RUN, f"trials/trial_{trial}.rds"), b"x")


def test_the_first_that_finds_all_trials_merges_and_may_go_on_later(store: FolderStore) -> None:
    finish(store, *trials_of(0, 2, 4))
    assert not merges(store, 0)
    finish(store, *trials_of(1, 2, 4))
    assert [merges(store, index) for index in (1, 0, 1)] == [True, False, True]


def test_an_execution_of_one_task_and_the_tasks_of_another_never_both_merge(
    store: FolderStore,
) -> None:
    assert trains_all(store, 0)
    finish(store, 1, 2, 3, 4)
    assert not merges(store, 1)
    assert trains_all(store, 0), "its retry"


def test_an_execution_of_one_task_leaves_a_run_that_another_task_merges(
    store: FolderStore,
) -> None:
    finish(store, 1, 2, 3, 4)
    assert merges(store, 1)
    assert not trains_all(store, 0)


def test_a_run_that_nobody_shares_needs_no_such_object(store: FolderStore) -> None:
    assert trains_all(store, 0, tasks=1)
    assert list(store.list("runs/")) == []
