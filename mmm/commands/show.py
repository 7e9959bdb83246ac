"""`mmm show RUN`: one run in detail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mmm.commands.common import DEFAULT_BUCKET, AsJson, Bucket, CurrentRun, Revision, report_errors

if TYPE_CHECKING:
    from mmm.runs import Run


def command(
    run: CurrentRun,
    revision: Revision = "r1",
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: AsJson = False,
) -> None:
    """Show one run.

    Prints its state, verdict with all findings, steps with their seconds, problem, and the places
    of report and artifacts.

    Examples: mmm show 20261123T020000Z-1a2b3c4d; mmm show DE
    """
    from contract.printable import escape_invisible, one_line
    from contract.stores import open_store
    from mmm.runs import find

    with report_errors(as_json=as_json):
        found = find(open_store(bucket), run, revision=revision)
    if as_json:
        print(found.model_dump_json())
        return
    for name, text in _lines(found):
        print(escape_invisible(f"{name:<10}{one_line(text)}".rstrip()))


def _lines(run: Run) -> Iterator[tuple[str, str]]:
    current = ", the market's current run" if run.is_current else ""
    yield "run", run.run_id
    yield "market", f"{run.market}, revision {run.revision}"
    yield "state", f"{run.state}{current}"
    if run.problem:
        yield "problem", run.problem
    if run.duplicate_of:
        yield "equals", run.duplicate_of
    if run.verdict:
        yield "verdict", run.verdict
        for finding in run.findings:
            yield "", f"{finding['level']}  {finding['sentence']}"
    for warning in run.warnings:
        yield "warning", warning
    yield "started", f"{run.created_at:%Y-%m-%d %H:%M:%S} UTC"
    yield "time", f"{run.seconds / 60:.1f} minutes, attempt {run.attempt + 1}"
    for step in run.steps:
        seconds = step.get("seconds")
        yield "step", f"{step['name']}: {'at work' if seconds is None else f'{seconds:.1f} s'}"
    if run.execution:
        yield "execution", run.execution
    if run.report_uri:
        yield "report", run.report_uri
    if run.artifacts_uri:
        yield "artifacts", run.artifacts_uri
