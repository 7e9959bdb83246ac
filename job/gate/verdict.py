"""What the gate says: findings, and the verdict that follows from the worst of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from contract.exceptions import GateError

SHOWN = 6


class Outcome(StrEnum):
    """From harmless to fatal; SKIP means that there is nothing to train on and nothing is wrong."""

    PASS = "PASS"  # noqa: S105
    WARN = "WARN"
    SKIP = "SKIP"
    BLOCK = "BLOCK"


_SEVERITY = list(Outcome)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check saw. `figure` and `threshold` are in the check's own unit."""

    name: str
    outcome: Outcome
    sentence: str
    figure: float | None = None
    threshold: float | None = None
    columns: tuple[str, ...] = ()
    dates: tuple[date, ...] = ()

    def to_dict(self, *, dates: int = 50) -> dict[str, Any]:
        """Plain values; at most that many dates."""
        return {
            "check": self.name,
            "outcome": self.outcome.value,
            "sentence": self.sentence,
            "figure": self.figure,
            "threshold": self.threshold,
            "columns": list(self.columns),
            "dates": [day.isoformat() for day in self.dates[:dates]],
        }


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """All findings, checks that passed among them, and a profile of the data for the next run."""

    checks: tuple[Finding, ...]
    rows: int
    first_date: date
    last_date: date
    profile: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> Outcome:
        """The worst outcome of all checks."""
        return max((f.outcome for f in self.checks), key=_SEVERITY.index, default=Outcome.PASS)

    def findings(self, outcome: Outcome | str) -> list[Finding]:
        """Checks that ended so."""
        return [finding for finding in self.checks if finding.outcome == outcome]

    def worst(self) -> list[Finding]:
        """Findings that are not PASS, the worst first."""
        bad = [f for f in self.checks if f.outcome is not Outcome.PASS]
        return sorted(bad, key=lambda f: -_SEVERITY.index(f.outcome))

    def summary(self) -> dict[str, Any]:
        """The short form for the event."""
        return {
            "verdict": self.status.value,
            "findings": [finding.to_dict(dates=SHOWN) for finding in self.worst()[:20]],
        }

    def to_dict(self) -> dict[str, Any]:
        """The form of `data_quality.json`."""
        return {
            "verdict": self.status.value,
            "rows": self.rows,
            "first_date": self.first_date.isoformat(),
            "last_date": self.last_date.isoformat(),
            "checks": [f.to_dict() for f in self.checks],
            "profile": self.profile,
        }

    def require(self) -> None:
        """Stop a run on bad data.

        Raises:
            GateError: the verdict is BLOCK; one sentence per finding that blocks.
        """
        blocked = [f.sentence for f in self.findings(Outcome.BLOCK)]
        if blocked:
            raise GateError("\n".join(blocked), quality=self.summary())


def passed(
    name: str, sentence: str, *, figure: float | None = None, threshold: float | None = None
) -> Finding:
    """A check that found nothing, with what it measured; no figure where it measured nothing."""
    figure = None if figure is None else round(figure, 4)
    return Finding(
        name=name, outcome=Outcome.PASS, sentence=sentence, figure=figure, threshold=threshold
    )


def names(columns: Iterable[str], limit: int = SHOWN) -> str:
    """`A`, `B` and 3 more."""
    listed = list(columns)
    shown = ", ".join(f"`{column}`" for column in listed[:limit])
    return f"{shown} and {len(listed) - limit} more" if len(listed) > limit else shown


def days(dates: Iterable[date], limit: int = SHOWN) -> str:
    """2024-01-01, 2024-01-08 and 3 more."""
    listed = sorted(set(dates))
    shown = ", ".join(day.isoformat() for day in listed[:limit])
    return f"{shown} and {len(listed) - limit} more" if len(listed) > limit else shown


def count(number: int, thing: str) -> str:
    """`1 week`, `2 weeks`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def have(number: int, one: str = "has", several: str = "have") -> str:
    """The verb that fits a number."""
    return one if number == 1 else several
