"""Every market in a row: what its current run says, how old it is, and what waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from contract.run import now
from mmm.cloud.schedules import NextRuns
from mmm.configs import StoredConfig
from mmm.runs import MarketState, Run


@dataclass(frozen=True, kw_only=True)
class Row:
    """A market.

    Attributes:
        reason: the first reason for the verdict; empty for PASS.
        age_days: the age of the current run.
        current, held, at_work: run ids.
        configs: the names of its configs in the bucket.
        paused: who paused the market, when and why; empty if it is not paused.
        next_run: when its schedule requests the next run (UTC), or why none does.
    """

    market: str
    revision: str
    verdict: str | None = None
    reason: str = ""
    data_until: str | None = None
    age_days: float | None = None
    current: str | None = None
    held: str | None = None
    at_work: tuple[str, ...] = ()
    configs: list[str] = field(default_factory=list)
    waits: str = ""
    paused: str = ""
    next_run: str = ""

    @property
    def key(self) -> str:
        """The market and its revision in words."""
        return f"{self.market}, revision {self.revision}" if self.revision else self.market


def overview(
    markets: Sequence[MarketState], configs: Sequence[StoredConfig], coming: NextRuns
) -> list[Row]:
    """Return a row for each market that has a run or a config, by name."""
    named: dict[tuple[str, str], list[str]] = {}
    for one in configs:
        if one.config:
            named.setdefault((one.config.market, one.config.revision), []).append(one.name)
    rows = {
        (one.market, one.revision): _row(one, named.get((one.market, one.revision), []))
        for one in markets
    }
    for (market, revision), names in named.items():
        if (market, revision) not in rows:
            rows[market, revision] = Row(market=market, revision=revision, configs=names)
    return [
        replace(
            rows[place], next_run="paused: resume it" if rows[place].paused else coming.text(*place)
        )
        for place in sorted(rows)
    ]


def reason_of(run: Run) -> str:
    """Return the first finding that made the verdict; empty if there is none."""
    findings = [one for one in run.findings if one.get("level") == run.verdict]
    return str(findings[0]["sentence"]) if findings and run.verdict != "PASS" else ""


def _row(one: MarketState, names: list[str]) -> Row:
    current = one.current
    waits = [
        *(["paused"] if one.is_paused else []),
        *(["a run to decide on"] if one.held else []),
        *(_at_work(run) for run in one.open),
    ]
    return Row(
        market=one.market,
        revision=one.revision,
        verdict=current.verdict if current else None,
        reason=reason_of(current) if current else "",
        data_until=current.data_until if current else None,
        age_days=(now() - current.created_at).total_seconds() / 86400 if current else None,
        current=current.run_id if current else None,
        held=one.held.run_id if one.held else None,
        at_work=tuple(run.run_id for run in one.open),
        configs=names,
        waits=", ".join(waits),
        paused=(one.pause.text() if one.pause else one.market) if one.is_paused else "",
    )


def _at_work(run: Run) -> str:
    return "in the queue" if run.waits_for else (run.step or run.state.value.lower())
