"""`mmm run CONFIG`: the whole job on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from contract.exceptions import ConfigError
from contract.run import State
from job.runtime import logs
from mmm.commands.common import (
    DEFAULT_BUCKET,
    DEFAULT_TOPIC,
    Bucket,
    Overrides,
    Topic,
    parse_overrides,
    told_plainly,
)


def command(
    config: Annotated[str, typer.Argument(help="Config file (YAML or JSON) or gs:// address.")],
    bucket: Bucket = DEFAULT_BUCKET,
    topic: Topic = DEFAULT_TOPIC,
    set_: Overrides = [],  # noqa: B006  typer reads the default, nobody changes it
    force: Annotated[bool, typer.Option(help="Train even if this was trained before.")] = False,
    json_logs: Annotated[bool, typer.Option(help="Print logs as JSON, as on Cloud Run.")] = False,
) -> None:
    """Train one model here: extract, check, train, write artifacts, tell.

    The last line is the final state, the run id and the report's path. Exit codes: 0 done, 64
    config, 65 data, 69 a service refuses, 70 model, 73 artifacts, 75 transient, 143 cancelled.
    """
    with told_plainly():
        if not config.startswith("gs://") and not Path(config).is_file():
            raise ConfigError(f"there is no config file `{config}`")
        overrides = parse_overrides(set_)
    from job.runtime.progress import make_view
    from job.runtime.signals import finish
    from job.start import start  # heavy: help and refusals do without it

    style: logs.Style = "json" if json_logs else "console"
    console = Console(stderr=True)
    log = logs.configure(style, console)
    ending = start(
        config_uri=config,
        run_id=None,
        force=force,
        via="command",
        bucket=bucket,
        topic=topic,
        overrides=overrides,
        log=log,
        view=make_view(style, log, console),
    )
    if ending.state in (State.SUCCEEDED, State.DUPLICATE, State.HELD):
        print(ending.state, ending.run_id, readable(ending.report_uri))
    else:
        print(ending.state, ending.run_id, ending.message or "")
    raise typer.Exit(finish(ending.exit_code))


def readable(uri: str | None) -> str:
    """A file's path instead of its file:// address."""
    return (uri or "").removeprefix("file://")
