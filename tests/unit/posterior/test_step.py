"""The tasks of an execution share what is drawn."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from job.posterior.step import DRAWS, VALIDATION, WITHOUT_TESTS, Drawing


@pytest.mark.parametrize("tasks", [1, 2, 3, 5])
def test_every_part_is_drawn_by_one_task(tasks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(Drawing, "_draws", lambda _, name, **__: drawn.append(name))
    monkeypatch.setattr(Drawing, "_folds", lambda _: drawn.append(VALIDATION))
    config: Any = SimpleNamespace(outputs=SimpleNamespace(validation=SimpleNamespace(folds=2)))
    market: Any = SimpleNamespace(tests=("a test",))
    for task in range(tasks):
        attempt: Any = SimpleNamespace(tasks=tasks, settings=SimpleNamespace(task_index=task))
        priors: Any = None
        Drawing(attempt, config, market, priors).own()
    assert sorted(drawn) == sorted([DRAWS, WITHOUT_TESTS, VALIDATION])
