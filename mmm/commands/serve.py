"""`mmm serve`: run the local trigger."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contract import environment
from mmm.commands.common import (
    DEFAULT_BUCKET,
    DEFAULT_REQUESTS,
    DEFAULT_TOPIC,
    Bucket,
    JsonLines,
    Topic,
    print_verdict,
    report_errors,
    result_line,
)

if TYPE_CHECKING:
    from contract.run import Status
    from trigger.accept import MessageResult


def command(
    requests: Annotated[
        Path, typer.Option(help="The .jsonl file that messages are appended to.")
    ] = Path(DEFAULT_REQUESTS),
    bucket: Bucket = DEFAULT_BUCKET,
    topic: Topic = DEFAULT_TOPIC,
    once: Annotated[
        bool, typer.Option("--once", help="Stop when all messages in the file are done.")
    ] = False,
    as_json: JsonLines = False,
) -> None:
    """Run a job for each message in a file.

    Takes messages until Ctrl-C and runs their jobs on this machine. Logs go to stderr. Each run's
    result is a line on stdout: the final state, the run's id and the path of the report. With
    --once the exit code is that of the last run that failed, or 0.

    Example: mmm serve --once
    """
    from contract.stores import open_store
    from contract.topics import open_topic
    from contract.topics.jsonl import FileTopic
    from mmm.local.launcher import LocalLauncher
    from mmm.local.serve import serve

    code = 0
    with report_errors(as_json=as_json):
        launcher = LocalLauncher(
            [sys.executable, "-m", "job"],
            env={
                **os.environ,
                environment.BUCKET: str(bucket),
                environment.EVENTS_TOPIC: str(topic),
                environment.WAIT_HERE: "1",
                environment.LOG_STYLE: os.environ.get(environment.LOG_STYLE, "console"),
            },
            max_retries=0,
        )
        try:
            for message, status in serve(
                FileTopic(requests),
                store=open_store(bucket),
                publisher=open_topic(topic),
                launcher=launcher,
                once=once,
            ):
                code = _print_result(message, status, as_json=as_json) or code
        finally:
            launcher.close()
    raise typer.Exit(code)


def _print_result(message: MessageResult, status: Status | None, *, as_json: bool) -> int:
    """Print a run's result and return the exit code."""
    from mmm.results import Result

    if as_json:
        result = Result(state=message.state, run_id=message.run_id, message=message.problem)
        print((Result.of(status) if status else result).model_dump_json(), flush=True)
    if status is None:
        state = message.state or "UNKNOWN"
        if not as_json:
            print(result_line(state, message.run_id, message=message.problem), flush=True)
        return 64 if message.state else 69
    error = status.error
    if not as_json:
        held = (status.outcome.get("drift") or {}).get("reasons", ())
        print_verdict(status.run_id, status.outcome.get("verdict"), held)
        report = status.outcome.get("report_uri")
        line = result_line(
            status.state, status.run_id, report_uri=report, message=error.message if error else None
        )
        print(line, flush=True)
    if status.state.is_terminal:
        return error.code if error else 0
    return 70
