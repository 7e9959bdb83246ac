"""`mmm list`: the newest runs of a bucket."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mmm.commands.common import (
    DEFAULT_BUCKET,
    Bucket,
    JsonLines,
    one_of,
    print_table,
    report_errors,
)

STATES = (
    "ACCEPTED", "LAUNCHED", "RUNNING", "SUCCEEDED", "HELD", "SKIPPED", "DUPLICATE", "FAILED",
    "CANCELLED", "REJECTED",
)  # fmt: skip


def command(
    market: Annotated[str | None, typer.Option(help="Only runs of this market.")] = None,
    state: Annotated[str | None, typer.Option(help=f"Only {', '.join(STATES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Largest number of runs to print.")] = 20,
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: JsonLines = False,
) -> None:
    """List the newest runs.

    Prints a line per run, newest first: id, market, revision, state, verdict, start and minutes. A
    star marks the market's current run. `mmm show RUN` shows one in detail.

    Examples: mmm list --market DE; mmm list --state FAILED --json
    """
    from contract.printable import short
    from contract.run import State
    from contract.stores import open_store
    from mmm.runs import newest

    with report_errors(as_json=as_json):
        wanted = State(one_of(state.upper(), STATES, name="--state")) if state else None
        runs = newest(open_store(bucket), market=market, state=wanted, limit=limit)
    if as_json:
        for run in runs:
            print(run.model_dump_json(exclude={"steps", "findings", "progress"}))
        return
    if not runs:
        print(f"no runs in {bucket}; `mmm run CONFIG` starts one", file=sys.stderr)
        return
    rows = [("RUN", "", "MARKET", "REVISION", "STATE", "VERDICT", "STARTED (UTC)", "MINUTES", "")]
    rows += [
        (
            run.run_id,
            "*" if run.is_current else "",
            run.market,
            run.revision,
            run.state.value,
            run.verdict or "",
            f"{run.created_at:%Y-%m-%d %H:%M}",
            f"{run.seconds / 60:.1f}",
            short(run.problem or run.step or ""),
        )
        for run in runs
    ]
    print_table(rows)
