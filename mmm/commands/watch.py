"""`mmm watch RUN`: follow a run until it ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from mmm.commands.common import (
    DEFAULT_BUCKET,
    Bucket,
    print_verdict,
    report_errors,
    result_line,
)

if TYPE_CHECKING:
    from contract.run import Status
    from contract.stores import Store


def command(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run's id, or a market for its newest run.")
    ],
    every: Annotated[
        float, typer.Option(min=0.1, help="Seconds between two looks at the bucket.")
    ] = 5.0,
    bucket: Bucket = DEFAULT_BUCKET,
) -> None:
    """Follow a run until it ends.

    Prints steps and progress to stderr, and at the end the run's result to stdout: state, id and
    the path of the report. Exits with the run's code. Ctrl-C stops looking, not the run.

    Examples: mmm watch DE; mmm watch 20261123T020000Z-1a2b3c4d
    """
    import time

    from contract.stores import open_store

    with report_errors():
        store = open_store(bucket)
        run_id, said = _find(store, run), ""
        while True:
            status = _status(store, run_id)
            if status.state.is_terminal:
                break
            line = " · ".join(_parts(status))
            if line != said:
                print(line, file=sys.stderr, flush=True)
                said = line
            time.sleep(every)
    error = status.error
    held = (status.outcome.get("drift") or {}).get("reasons", ())
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


def _find(store: Store, text: str) -> str:
    from contract.exceptions import ConfigError
    from contract.printable import short
    from contract.runid import is_valid
    from mmm.runs import newest

    if is_valid(text):
        return text
    for found in newest(store, market=text, limit=1):
        return found.run_id
    raise ConfigError(
        f"there is no run of market `{short(text)}` in {store.url}; allowed: a run id, or a market "
        "with a run; `mmm list` shows the runs"
    )


def _status(store: Store, run_id: str) -> Status:
    from contract.exceptions import ConfigError
    from contract.run import read_status

    status = read_status(store, run_id)
    if status is None:
        raise ConfigError(f"there is no run {run_id} in {store.url}; `mmm list` shows the runs")
    return status


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
