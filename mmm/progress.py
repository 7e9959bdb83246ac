"""How far the search of a run is, and how long it still takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Search:
    """The search of a run at work.

    Attributes:
        trials: the iterations that each trial has done, by its number; 0 for one that waits.
        iterations: the iterations of a trial.
        seconds_left: as long as it took so far, in proportion; None before there is any progress.
    """

    trials: Mapping[int, int]
    iterations: int
    seconds_left: float | None

    @property
    def share(self) -> float:
        """The part of all iterations that is done, from 0 to 1."""
        return min(1.0, sum(self.trials.values()) / max(len(self.trials) * self.iterations, 1))


def search_of(
    progress: Mapping[str, Any], steps: list[dict[str, Any]], *, at: datetime
) -> Search | None:
    """Return the state of a run's search, None if it has not reported any.

    Args:
        progress: The run's progress, as its status has it.
        steps: The run's steps, as its status has them.
        at: The time now.
    """
    trials, iterations = progress.get("trials"), progress.get("iterations")
    done = {int(k): int(v or 0) for k, v in (progress.get("by_trial") or {}).items()}
    if not (isinstance(trials, int) and isinstance(iterations, int) and trials and iterations):
        return None
    numbers = range(1, max(trials, *done, 0) + 1) if done else range(1, trials + 1)
    search = Search(
        trials={number: min(done.get(number, 0), iterations) for number in numbers},
        iterations=iterations,
        seconds_left=None,
    )
    began = next((s["started_at"] for s in steps if s.get("name") == "train"), None)
    ended = any(s.get("name") == "train" and s.get("seconds") is not None for s in steps)
    if began is None or ended or not search.share:
        return search
    spent = (at - datetime.fromisoformat(str(began))).total_seconds()
    left = max(0.0, spent * (1 - search.share) / search.share)
    return Search(trials=search.trials, iterations=iterations, seconds_left=left)


def in_words(seconds: float) -> str:
    """Return a time for people.

    >>> in_words(40), in_words(400), in_words(8000)
    ('less than a minute', '7 minutes', '2.2 hours')
    """
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    if seconds < 5400:
        return f"{minutes} minute{'s' if minutes != 1 else ''}"
    return f"{seconds / 3600:.1f} hours"
