"""The gate: before a core is rented, is this data worth it?

Every check is a function of `Data` that yields findings; one that yields none has passed. What one
fault brings with it by necessity is told once: a date that cannot be read is no gap as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from contract.config import Config
from contract.exceptions import DataError
from job.gate import dates, design, events, history, levels, series, values
from job.gate.data import Data, read
from job.gate.history import profile
from job.gate.table import render
from job.gate.verdict import Finding, Outcome, Verdict, passed
from job.sources.snapshot import Snapshot

__all__ = ["CHECKS", "Finding", "Outcome", "Verdict", "check", "render"]

Check = Callable[[Data], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (
    *dates.CHECKS,
    *values.CHECKS,
    *series.CHECKS,
    *events.CHECKS,
    *levels.CHECKS,
    *design.CHECKS,
    *history.CHECKS,
)


def check(
    snapshot: Snapshot,
    config: Config,
    *,
    today: date | None = None,
    previous: dict[str, Any] | None = None,
) -> Verdict:
    """All checks of a snapshot.

    Args:
        snapshot: What `job.sources.extract` made.
        config: The config that it was made for.
        today: The date against which freshness is measured.
        previous: `data_quality.json` of the market's last accepted run.
    """
    day = today or datetime.now(UTC).date()
    data = read(snapshot, config, today=day, previous=previous)
    if not data.dates:
        raise DataError("the snapshot has no rows")
    findings: list[Finding] = []
    for one in CHECKS:
        found = list(one(data))
        findings.extend(found or [_passed(one)])
    findings.extend(_notes(data))
    if any(finding.outcome is Outcome.SKIP for finding in findings):
        # an idle market is no fault of its columns
        findings = [f for f in findings if f.outcome is not Outcome.BLOCK]
    return Verdict(
        checks=tuple(findings),
        rows=len(data.dates),
        first_date=data.dates[0],
        last_date=data.dates[-1],
        profile=profile(data),
    )


def _passed(one: Check) -> Finding:
    purpose = (one.__doc__ or "").strip().splitlines()[0].rstrip(".")
    return passed(one.__name__, purpose, figure=0, threshold=0)


def _notes(data: Data) -> Iterator[Finding]:
    """What extraction did on its own and a person should know."""
    for day in data.evidence.dropped:
        yield Finding(
            name="incomplete_period",
            outcome=Outcome.PASS,
            columns=(data.config.date.column,),
            dates=(day,),
            sentence=f"the {data.period} of {day} is not complete yet and was left out",
        )
