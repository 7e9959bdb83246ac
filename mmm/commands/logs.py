"""`mmm logs RUN`: the stored log of a run."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from job.runtime.log_lines import SEVERITIES
from mmm.commands.common import DEFAULT_BUCKET, Bucket, JsonLines, NewestRun, one_of, report_errors


def command(
    run: NewestRun,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print new entries until the run ends.")
    ] = False,
    severity: Annotated[
        str,
        typer.Option(
            help="Only entries of at least INFO, WARNING or ERROR.",
            autocompletion=lambda: list(SEVERITIES),
        ),
    ] = "INFO",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the last entries; all by default.")
    ] = None,
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: JsonLines = False,
) -> None:
    """Print the log of a run.

    Prints the entries that its attempts stored in the bucket, oldest first; the newest 5,000 of
    each attempt are kept. With --json they are those of Cloud Logging. An attempt stores its log
    every few seconds, so the last entries of one that was killed may be missing.

    Examples: mmm logs DE --follow; mmm logs DE --severity WARNING
    """
    from contract.stores import open_store
    from mmm.logs import entries
    from mmm.logs import follow as follow_run
    from mmm.runs import newest_of

    with report_errors(as_json=as_json):
        level = one_of(severity.upper(), SEVERITIES, name="`--severity`")
        store = open_store(bucket)
        found = newest_of(store, run)
        if follow:
            shown = follow_run(store, found.run_id, severity=level)
        else:
            stored = entries(store, found.run_id, severity=level)
            shown = iter(stored[-limit:] if limit else stored)
        count = 0
        for entry in shown:
            count += 1
            print(entry.to_json() if as_json else entry.to_line(), flush=follow)
    if not count:
        print(f"run {found.run_id} is {found.state} and stored no such entries", file=sys.stderr)
