"""`mmm run CONFIG`: run the whole job on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from contract.exceptions import ConfigError
from mmm.commands.common import (
    DEFAULT_BUCKET,
    DEFAULT_TOPIC,
    AsJson,
    Bucket,
    Overrides,
    Topic,
    parse_overrides,
    print_verdict,
    report_errors,
    result_line,
)


def command(
    config: Annotated[
        str, typer.Argument(metavar="CONFIG", help="Config file (YAML or JSON) or gs:// address.")
    ],
    bucket: Bucket = DEFAULT_BUCKET,
    topic: Topic = DEFAULT_TOPIC,
    set_: Overrides = [],  # noqa: B006  typer reads the default, nothing changes it
    force: Annotated[
        bool, typer.Option(help="Train again even if this config and data were trained before.")
    ] = False,
    json_logs: Annotated[
        bool, typer.Option(help="Write logs and the result as JSON, as on Cloud Run.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train one model on this machine.

    A run extracts and checks the data, trains the model and writes its artifacts. Logs go to
    stderr; the first line has the run's id, and the last ones the verdict on the result. The result
    goes to stdout: the final state, the run's id and the path of the report. The state is UNKNOWN
    if the bucket does not answer. An error before the run exists is only logged. Exit codes: 0
    done, 64 config, 65 data, 69 a service refuses, 70 model, 73 artifacts, 75 transient; after a
    signal 128 and its number, e.g. 130 for Ctrl-C.

    Examples: mmm run de.yaml; mmm run de.yaml --set training.preset=test
    """
    with report_errors(as_json=json_logs or as_json):
        if not config.startswith("gs://") and not Path(config).is_file():
            raise ConfigError(f"there is no config file `{config}`")
        overrides = parse_overrides(set_)
    from job.runtime.progress import open_log
    from job.runtime.signals import finish
    from job.start import start

    log, view = open_log("json" if json_logs else "console")
    ending = start(
        config_uri=config,
        run_id=None,
        force=force,
        via="command",
        bucket=bucket,
        topic=topic,
        overrides=overrides,
        log=log,
        view=view,
    )
    if json_logs or as_json:
        result = {
            "state": ending.state,
            "run_id": ending.run_id,
            "report_uri": ending.report_uri,
            "verdict": ending.verdict,
            "held": list(ending.held),
            "message": ending.message,
        }
        print(json.dumps(result))
    elif ending.run_id:
        print_verdict(ending.run_id, ending.verdict, ending.held)
        print(
            result_line(
                ending.state or "UNKNOWN",
                ending.run_id,
                report_uri=ending.report_uri,
                message=ending.message,
            )
        )
    raise typer.Exit(finish(ending.exit_code))
