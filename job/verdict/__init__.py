"""The verdict: may the result of a run be used?

Each check is a function of `Evidence` that yields findings. A check that yields none has passed,
and its docstring's first line becomes the sentence of its PASS finding. The verdict is the worst
level of all findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from contract.verdict import Level
from job.verdict import channels, fit, residuals, search
from job.verdict.evidence import Evidence
from job.verdict.finding import Finding, Verdict

__all__ = ["CHECKS", "Evidence", "Finding", "Level", "Verdict", "judge"]

Check = Callable[[Evidence], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (*fit.CHECKS, *search.CHECKS, *channels.CHECKS, *residuals.CHECKS)


def judge(evidence: Evidence) -> Verdict:
    """Run all checks and return the verdict."""
    findings: list[Finding] = []
    for check in CHECKS:
        findings.extend(list(check(evidence)) or [_passed(check)])
    return Verdict(findings=tuple(findings))


def _passed(check: Check) -> Finding:
    sentence = (check.__doc__ or "").strip().splitlines()[0].rstrip(".")
    return Finding(check=check.__name__, level=Level.PASS, sentence=sentence)
