"""Show the verdict as a table in the terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from contract.printable import escape_invisible
from job.gate.verdict import Finding, Outcome, Verdict

_STYLE = {
    Outcome.PASS: "green",
    Outcome.WARN: "yellow",
    Outcome.SKIP: "cyan",
    Outcome.BLOCK: "bold red",
}


def render(verdict: Verdict) -> RenderableType:
    """Return a table with one row per problem, most severe first, and the verdict below it."""
    table = Table(box=None, pad_edge=False, show_edge=False)
    for column in ("", "check", "figure", "threshold", "finding"):
        table.add_column(column, overflow="fold")
    problems = verdict.problems()
    for finding in problems:
        table.add_row(*_cells(finding))
    passed = len(verdict.findings(Outcome.PASS))
    summary = Text.assemble(
        (verdict.status.value, _STYLE[verdict.status]),
        f"  {verdict.rows} rows, {verdict.first_date} to {verdict.last_date}; "
        f"{passed} checks passed",
    )
    return Group(table, summary) if problems else Group(summary)


def _cells(finding: Finding) -> tuple[RenderableType, ...]:
    return (
        Text(finding.outcome.value, style=_STYLE[finding.outcome]),
        Text(finding.name),
        Text("" if finding.figure is None else f"{finding.figure:g}"),
        Text("" if finding.threshold is None else f"{finding.threshold:g}"),
        Text(escape_invisible(finding.sentence)),
    )
