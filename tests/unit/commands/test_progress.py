"""How far a search is, and how long it still takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mmm.progress import search_of

AT = datetime(2026, 11, 23, 2, 10, tzinfo=UTC)
TRAIN = {"name": "train", "seconds": None, "started_at": (AT - timedelta(minutes=6)).isoformat()}


def test_time_left_is_in_proportion() -> None:
    progress = {"trials": 2, "iterations": 100, "by_trial": {"2": 20, "1": 100}}
    search = search_of(progress, [TRAIN], at=AT)
    assert search is not None
    assert (search.share, dict(search.trials)) == (0.6, {1: 100, 2: 20})
    assert search.seconds_left == pytest.approx(240)


@pytest.mark.parametrize(
    ("progress", "steps"),
    [
        ({"trials": 2, "iterations": 100, "by_trial": {}}, [TRAIN]),
        ({"trials": 2, "iterations": 100, "by_trial": {"1": None}}, [TRAIN]),
        ({"trials": 2, "iterations": 100, "by_trial": {"1": 50}}, []),
        ({"trials": 2, "iterations": 100, "by_trial": {"1": 50}}, [{**TRAIN, "seconds": 9.0}]),
    ],
)
def test_without_progress_or_after_the_search_there_is_no_time(
    progress: dict[str, Any], steps: list[dict[str, Any]]
) -> None:
    search = search_of(progress, steps, at=AT)
    assert search is not None
    assert search.seconds_left is None


@pytest.mark.parametrize("progress", [{}, {"trials": None}, {"trials": 0, "iterations": 10}])
def test_a_run_without_a_search_has_none(progress: dict[str, Any]) -> None:
    assert search_of(progress, [TRAIN], at=AT) is None
