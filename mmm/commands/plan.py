"""`mmm plan CONFIG`: show what a run would do, how long it would take and its cost."""

from __future__ import annotations

from typing import Annotated

import typer

from mmm.commands.common import (
    DEFAULT_BUCKET,
    AsJson,
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
    full: Annotated[
        bool, typer.Option("--full", help="Also print every value with its origin, and the SQL.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a run would do, and its cost.

    Prints the data, the search, the expected time and cost, and what differs from the config of the
    market's current run. Runs nothing. Local data is read; a warehouse is not. Past runs in the
    bucket correct the estimate. Exits with 64 if the run is over `limits`.

    Examples: mmm plan de.yaml; mmm plan de.yaml --set training.trials=2 --full
    """
    import json
    from pathlib import Path

    from contract.fetch import fetch_config
    from contract.loading import load_config
    from mmm.plan_text import print_first, print_full, print_short

    with report_errors(as_json=as_json):
        origin = config if config.startswith("gs://") else Path(config).name
        text = fetch_config(config, files=True)
        resolved = load_config(text, origin=origin, overrides=parse_overrides(set_), option="--set")
        if not as_json and not full:
            print_first(resolved.config)

        # Slow: these load all that reads data.
        from contract.stores import open_store
        from job.cost import limits
        from mmm.plan import document, plan_of

        plan = plan_of(
            resolved,
            open_store(bucket),
            origin=origin,
            key=key,
            rows=rows,
            cpu=cpu,
            memory=memory,
            region=region,
        )
        if as_json:
            print(json.dumps(document(plan)))
        elif full:
            print_full(plan)
        else:
            print_short(plan)
        limits.require(plan.resolved.config.limits, plan.estimate)
