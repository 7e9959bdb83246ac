"""`mmm plan CONFIG`: show what a run would do, how long it would take and its cost."""

from __future__ import annotations

from typing import Annotated

import typer

from mmm.commands.common import (
    DEFAULT_BUCKET,
    Bucket,
    Overrides,
    parse_overrides,
    report_errors,
)


def command(
    config: Annotated[
        str, typer.Argument(metavar="CONFIG", help="Config file (YAML or JSON) or gs:// address.")
    ],
    set_: Overrides = [],  # noqa: B006  typer reads the default, nothing changes it
    key: Annotated[
        str | None, typer.Option(help="Idempotency key of the message that would request the run.")
    ] = None,
    bucket: Bucket = DEFAULT_BUCKET,
    rows: Annotated[
        int | None,
        typer.Option(
            min=1, help="Periods of data; by default those of the date window or the last run."
        ),
    ] = None,
    cpu: Annotated[
        str | None, typer.Option(help="vCPUs of a task, e.g. 4; by default this machine's.")
    ] = None,
    memory: Annotated[str | None, typer.Option(help="Memory of a task, e.g. 8Gi.")] = None,
    region: Annotated[
        str | None, typer.Option(help="Region whose prices apply, e.g. europe-west1.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what a run would do, and its cost.

    Prints the resolved config, the SQL, the run's id, and the expected time and cost. Runs
    nothing. Past runs in the bucket correct the estimate. Exits with 64 if the run is over
    `limits`.
    """
    from mmm.plan import plan

    with report_errors():
        plan(
            config,
            overrides=parse_overrides(set_),
            key=key,
            bucket=bucket,
            rows=rows,
            cpu=cpu,
            memory=memory,
            region=region,
            as_json=json_,
        )
