"""The gate's result: findings, and the verdict, which is the worst outcome among them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from contract.exceptions import GateError
from job.gate.wording import MAX_LISTED

_MAX_SUMMARY_FINDINGS = 20


class Outcome(StrEnum):
    """The result of a check, from harmless to fatal.

    SKIP means that the market is idle: nothing is wrong, but there is nothing to train on.
    """

    PASS = "PASS"  # noqa: S105
    WARN = "WARN"
    SKIP = "SKIP"
    BLOCK = "BLOCK"


_SEVERITY = list(Outcome)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of one check. `figure` and `threshold` are in the check's own unit."""

    name: str
    outcome: Outcome
    sentence: str
    figure: float | None = None
    threshold: float | None = None
    columns: tuple[str, ...] = ()
    dates: tuple[date, ...] = ()

    def to_dict(self, *, dates: int = 50) -> dict[str, Any]:
        """Return the finding as JSON values, with at most `dates` dates."""
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
    """All findings, including passed checks, and a profile of the data for the next run."""

    checks: tuple[Finding, ...]
    rows: int
    first_date: date
    last_date: date
    profile: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> Outcome:
        """Return the worst outcome of all checks."""
        return max((f.outcome for f in self.checks), key=_SEVERITY.index, default=Outcome.PASS)

    def findings(self, outcome: Outcome | str) -> list[Finding]:
        """Return the findings with this outcome."""
        return [finding for finding in self.checks if finding.outcome == outcome]

    def problems(self) -> list[Finding]:
        """Return the findings that are not PASS, most severe first."""
        problems = [f for f in self.checks if f.outcome is not Outcome.PASS]
        return sorted(problems, key=lambda f: -_SEVERITY.index(f.outcome))

    def summary(self) -> dict[str, Any]:
        """Return the short form for the run's event."""
        worst = self.problems()[:_MAX_SUMMARY_FINDINGS]
        return {
            "verdict": self.status.value,
            "findings": [finding.to_dict(dates=MAX_LISTED) for finding in worst],
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the content of `data_quality.json`."""
        return {
            "verdict": self.status.value,
            "rows": self.rows,
            "first_date": self.first_date.isoformat(),
            "last_date": self.last_date.isoformat(),
            "checks": [f.to_dict() for f in self.checks],
            "profile": self.profile,
        }

    def require(self) -> None:
        """Stop the run if the data is not fit for training.

        Raises:
            GateError: the verdict is BLOCK. The message has one line per blocking finding.
        """
        blocking = [f.sentence for f in self.findings(Outcome.BLOCK)]
        if blocking:
            raise GateError("\n".join(blocking), quality=self.summary())


def passed(
    name: str, sentence: str, *, figure: float | None = None, threshold: float | None = None
) -> Finding:
    """Return the finding of a check that passed; `figure` is None if it measured nothing."""
    figure = None if figure is None else round(figure, 4)
    return Finding(
        name=name, outcome=Outcome.PASS, sentence=sentence, figure=figure, threshold=threshold
    )
