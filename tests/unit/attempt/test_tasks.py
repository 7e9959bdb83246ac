"""Tasks that share a run: one of them makes the outputs, whichever execution it belongs to."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contract import layout
from contract.stores.folder import FolderStore
from job.attempt.tasks import may_do_all, may_merge, trials_of

RUN = "20261123T020000Z-1a2b3c4d"


def task(store: FolderStore, index: int, *, tasks: int = 2) -> Any:
    training = SimpleNamespace(tasks=tasks, trials=4)
    return SimpleNamespace(
        store=store,
        run_id=RUN,
        config=SimpleNamespace(training=training),
        settings=SimpleNamespace(task_index=index),
    )


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def finish(store: FolderStore, *trials: int) -> None:
    for trial in trials:
        store.write(layout.work(RUN, f"trials/trial_{trial}.rds"), b"x")


def test_the_first_that_finds_all_trials_merges_and_may_go_on_later(store: FolderStore) -> None:
    finish(store, *trials_of(0, 2, 4))
    assert not may_merge(task(store, 0))
    finish(store, *trials_of(1, 2, 4))
    assert [may_merge(task(store, index)) for index in (1, 0, 1)] == [True, False, True]


def test_an_execution_of_one_task_and_the_tasks_of_another_never_both_merge(
    store: FolderStore,
) -> None:
    assert may_do_all(task(store, 0))
    finish(store, 1, 2, 3, 4)
    assert not may_merge(task(store, 1))
    assert may_do_all(task(store, 0)), "its retry"


def test_an_execution_of_one_task_leaves_a_run_that_another_task_merges(
    store: FolderStore,
) -> None:
    finish(store, 1, 2, 3, 4)
    assert may_merge(task(store, 1))
    assert not may_do_all(task(store, 0))


def test_a_run_that_nobody_shares_needs_no_such_object(store: FolderStore) -> None:
    assert may_do_all(task(store, 0, tasks=1))
    assert list(store.list("runs/")) == []
