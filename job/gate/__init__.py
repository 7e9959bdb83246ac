"""The gate: check the data before the run spends CPU on training.

Each check is a function of `Data` that yields findings. A check that yields none has passed, and
its docstring's first line becomes the sentence of its PASS finding. Each fault is reported once,
without its side effects: an unreadable date is not also reported as a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from contract.config import Config
from contract.exceptions import DataError
from job.gate import (
    dated_events,
    dates,
    design,
    history,
    joined,
    levels,
    lift_tests,
    series,
    spends,
    steps,
    values,
)
from job.gate.data import Data, read
from job.gate.history import profile
from job.gate.table import render
from job.gate.verdict import Finding, Outcome, Verdict, passed
from job.sources.snapshot import Snapshot

__all__ = ["CHECKS", "Finding", "Outcome", "Verdict", "check", "render"]

Check = Callable[[Data], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (
    *dates.CHECKS,
    *joined.CHECKS,
    *steps.CHECKS,
    *values.CHECKS,
    *series.CHECKS,
    *spends.CHECKS,
    *dated_events.CHECKS,
    *levels.CHECKS,
    *design.CHECKS,
    *lift_tests.CHECKS,
    *history.CHECKS,
)


def check(
    snapshot: Snapshot,
    config: Config,
    *,
    today: date | None = None,
    previous: dict[str, Any] | None = None,
) -> Verdict:
    """Run all checks on a snapshot and return the verdict.

    Args:
        snapshot: The extract, as `job.sources.extract` returns it.
        config: The config of the extract.
        today: The date that freshness is measured against; by default the current UTC date.
        previous: `data_quality.json` of the market's last accepted run.

    Raises:
        DataError: The snapshot has no rows, or columns that the config does not use.
    """
    day = today or datetime.now(UTC).date()
    data = read(snapshot, config, today=day, previous=previous)
    if not data.dates:
        raise DataError("the snapshot has no rows")
    findings: list[Finding] = []
    for run_check in CHECKS:
        findings.extend(list(run_check(data)) or [_passed(run_check)])
    findings.extend(_dropped_periods(data))
    if any(finding.outcome is Outcome.SKIP for finding in findings):
        # the columns of an idle market are empty, which must not block
        findings = [f for f in findings if f.outcome is not Outcome.BLOCK]
    return Verdict(
        checks=tuple(findings),
        rows=len(data.dates),
        first_date=data.dates[0],
        last_date=data.dates[-1],
        profile=profile(data),
    )


def _passed(check: Check) -> Finding:
    """Return the PASS finding of a check; its docstring says what the check confirms."""
    sentence = (check.__doc__ or "").strip().splitlines()[0].rstrip(".")
    return passed(check.__name__, sentence, figure=0, threshold=0)


def _dropped_periods(data: Data) -> Iterator[Finding]:
    """Report the incomplete periods that extraction left out."""
    for day in data.evidence.dropped:
        yield Finding(
            name="incomplete_period",
            outcome=Outcome.PASS,
            columns=(data.config.date.column,),
            dates=(day,),
            sentence=f"the {data.period} of {day} is incomplete and was left out",
        )
