"""`mmm watch RUN`: follow a run until it ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from mmm.commands.common import (
    DEFAULT_BUCKET,
    AsJson,
    Bucket,
    NewestRun,
    print_verdict,
    report_errors,
    result_line,
)

if TYPE_CHECKING:
    from contract.run import Status


def command(
    run: NewestRun,
    every: Annotated[
        float, typer.Option(min=0.1, help="Seconds between two looks at the bucket.")
    ] = 5.0,
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: AsJson = False,
) -> None:
    """Follow a run until it ends.

    Prints steps and progress to stderr, and at the end the run's result to stdout: state, id and
    the path of the report. Exits with the run's code. Ctrl-C stops watching; the run goes on.

    Examples: mmm watch DE; mmm watch 20261123T020000Z-1a2b3c4d
    """
    import time

    from contract.stores import open_store
    from mmm.results import Result
    from mmm.runs import newest_of

    with report_errors(as_json=as_json):
        store = open_store(bucket)
        status, said = newest_of(store, run), ""
        run_id = status.run_id
        while not status.state.is_terminal:
            line = " · ".join(_parts(status))
            if line != said:
                print(line, file=sys.stderr, flush=True)
                said = line
            time.sleep(every)
            status = newest_of(store, run_id)
    error = status.error
    held = (status.outcome.get("drift") or {}).get("reasons", ())
    if as_json:
        print(Result.of(status).model_dump_json())
    else:
        print_verdict(run_id, status.outcome.get("verdict"), held)
        print(
            result_line(
                status.state,
                run_id,
                report_uri=status.outcome.get("report_uri"),
                message=error.message if error else None,
            )
        )
    raise typer.Exit(error.code if error else 0)


def _parts(status: Status) -> Iterator[str]:
    """Yield what a person wants to know of a run that has not ended."""
    yield f"{status.state}"
    if status.waits_for:
        yield f"waits for run {status.waits_for}"
    if status.step:
        yield status.step
    progress = status.progress
    trials, iterations = progress.get("trials"), progress.get("iterations")
    by_trial = progress.get("by_trial") or {}
    if status.step == "train" and trials and iterations and by_trial:
        done = sum(by_trial.values())
        yield f"{done:,} of {trials * iterations:,} iterations"
    if status.attempt:
        yield f"attempt {status.attempt + 1}"
    if status.error:
        yield f"the last attempt failed: {status.error.message}"
