"""The verdict and its findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contract.verdict import Level

_SEVERITY = list(Level)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of one check. `figure` and `threshold` are in the check's own unit."""

    check: str
    level: Level
    sentence: str
    figure: float | None = None
    threshold: float | None = None
    channels: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return {
            "check": self.check,
            "level": self.level.value,
            "sentence": self.sentence,
            "figure": self.figure,
            "threshold": self.threshold,
            "channels": list(self.channels),
        }


@dataclass(frozen=True)
class Measure:
    """What a check compares, yielded before its findings; the PASS finding shows it."""

    figure: float
    threshold: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """All findings, including those of checks that passed."""

    findings: tuple[Finding, ...]

    @property
    def level(self) -> Level:
        """Return the worst level of all findings."""
        return max((f.level for f in self.findings), key=_SEVERITY.index, default=Level.PASS)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of `verdict` in metrics.json, the most severe findings first."""
        ordered = sorted(self.findings, key=lambda f: -_SEVERITY.index(f.level))
        return {"verdict": self.level.value, "findings": [f.to_dict() for f in ordered]}
