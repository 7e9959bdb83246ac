"""The verdict: may the result of a run be used?

Each check is a function of `Evidence` that yields findings, and before them the `Measure` that it
compares. A check that yields no finding has passed, and its docstring's first line becomes the
sentence of its PASS finding. The verdict is the worst level of all findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple

from contract.verdict import Level
from job.verdict import channels, fit, residuals, search
from job.verdict.evidence import Evidence
from job.verdict.finding import Finding, Measure, Verdict

__all__ = ["CHECKS", "Evidence", "Finding", "Level", "Verdict", "judge"]

Check = Callable[[Evidence], Iterator[Finding | Measure]]
CHECKS: tuple[Check, ...] = (*fit.CHECKS, *search.CHECKS, *channels.CHECKS, *residuals.CHECKS)


def judge(evidence: Evidence) -> Verdict:
    """Run all checks and return the verdict."""
    findings: list[Finding] = []
    for check in CHECKS:
        yielded = list(check(evidence))
        measures = [one for one in yielded if isinstance(one, Measure)]
        found = [one for one in yielded if isinstance(one, Finding)]
        findings.extend(found or [_passed(check, measures)])
    return Verdict(findings=tuple(findings))


def _passed(check: Check, measures: Sequence[Measure]) -> Finding:
    figure, threshold = astuple(measures[0]) if measures else (None, None)
    return Finding(
        check=check.__name__,
        level=Level.PASS,
        figure=figure,
        threshold=threshold,
        sentence=(check.__doc__ or "").strip().splitlines()[0].rstrip("."),
    )
