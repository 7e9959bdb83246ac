"""The page about all markets: what is current, how sure it is, and the newest runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from contract.amounts import digits
from contract.base import Strict
from contract.pages.templates import render_template
from contract.run import State
from contract.stored import Moment

BEGIN = '<script type="application/json" id="runs">'
END = "</script>"
_WIDTH, _HEIGHT = 120, 26  # of a sparkline, in pixels


class Entry(Strict):
    """One run; `roas` is that of all paid media, also for conversions."""

    run_id: str
    market: str
    revision: str
    state: State
    ended_at: Moment
    verdict: str | None
    rsq: float | None
    roas: float | None
    is_revenue: bool
    has_report: bool

    @property
    def folder(self) -> str:
        """Return the folder of the artifacts, relative to the page."""
        return f"{self.revision}/{self.market}/{self.run_id}/"

    @property
    def performance(self) -> str:
        """Return ROAS or CPA as text; the currency is in the report."""
        if self.roas is None:
            return ""
        if self.is_revenue:
            return digits(self.roas)
        return digits(1 / self.roas) if self.roas > 0 else "without limit"


@dataclass(frozen=True, kw_only=True)
class MarketRow:
    """A market and its newest runs, newest first; `current` is its current run's id."""

    market: str
    revision: str
    current: str | None
    runs: Sequence[Entry]

    @property
    def shown(self) -> Entry:
        """Return the current run, or the newest one if the page does not have it."""
        return next((run for run in self.runs if run.run_id == self.current), self.runs[0])

    @property
    def measure(self) -> str:
        """Return "ROAS" or "CPA"."""
        return "ROAS" if self.shown.is_revenue else "CPA"

    @property
    def values(self) -> list[float]:
        """Return ROAS or CPA of the runs with results, oldest first."""
        known = [run.roas for run in reversed(self.runs) if run.roas is not None and run.roas > 0]
        return known if self.shown.is_revenue else [1 / roas for roas in known]

    @property
    def story(self) -> str:
        """Say what the sparkline shows."""
        values = self.values
        return (
            f"{self.measure} of paid media in {len(values)} runs, from {values[0]:.3g} to "
            f"{values[-1]:.3g}"
        )

    @property
    def line(self) -> str:
        """Return the points of the sparkline, "" for fewer than two runs."""
        values = self.values
        if len(values) < 2:
            return ""
        low, high = min(values), max(values)
        step, rise = (_WIDTH - 4) / (len(values) - 1), (_HEIGHT - 4) / ((high - low) or 1.0)
        return " ".join(
            f"{2 + place * step:.1f},{_HEIGHT - 2 - (value - low) * rise:.1f}"
            for place, value in enumerate(values)
        )


def render_index(rows: Sequence[MarketRow], entries: Sequence[Entry]) -> str:
    """Return the page; the entries are in it as JSON, for the next update."""
    document = json.dumps([entry.model_dump(mode="json") for entry in entries])
    return render_template(
        "contract.pages",
        "index.html.j2",
        rows=rows,
        begin=Markup(BEGIN),  # noqa: S704 # nosec B704
        end=Markup(END),  # noqa: S704 # nosec B704
        document=Markup(document.replace("<", "\\u003c")),  # noqa: S704 # nosec B704
        width=_WIDTH,
        height=_HEIGHT,
    )
