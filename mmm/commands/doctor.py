"""`mmm doctor`: what this machine lacks, and the damaged objects of a bucket."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Annotated

import typer

from contract import environment
from mmm.commands.common import DEFAULT_BUCKET, Bucket, JsonLines, one_of, report_errors

PARTS = ("machine", "objects")


def command(
    only: Annotated[
        str | None,
        typer.Option(help="machine or objects; both by default.", autocompletion=lambda: PARTS),
    ] = None,
    bucket: Bucket = DEFAULT_BUCKET,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make damaged objects again or set them aside.")
    ] = False,
    cloud: Annotated[
        bool, typer.Option("--cloud", help="Examine the installation on Google Cloud instead.")
    ] = False,
    job: Annotated[
        str | None,
        typer.Option(
            envvar=environment.JOB, help="Of --cloud: projects/P/locations/L/jobs/NAME-train."
        ),
    ] = None,
    as_json: JsonLines = False,
) -> None:
    """Examine this machine and a bucket, or an installation on Google Cloud.

    Prints what the machine has for training: Python, disk, memory, clock, R and its packages,
    Robyn, pictures, nevergrad. Then prints each damaged object of the bucket. What is missing or
    damaged has a remedy. --repair makes a damaged object again if others say what was in it, or
    else sets it aside below `damaged/`. Exits with 69 if something that is needed is missing, if a
    damaged object is left, or if a service refuses.

    With --cloud: APIs, bucket, topics and subscriptions, functions, job, image, secrets, reconcile,
    schedules, what the service accounts may do, Snowflake, and the clock. It changes nothing.

    Examples: mmm doctor --only machine; mmm doctor --bucket gs://BUCKET --repair; mmm doctor
    --cloud --job projects/P/locations/L/jobs/mmm-train --bucket gs://BUCKET
    """
    from contract.exceptions import DamagedError
    from contract.stores import open_store
    from mmm.doctor import examine
    from mmm.machine import Level, examine_machine

    missing = found = left = 0
    with report_errors(as_json=as_json):
        if cloud:
            _examine_cloud(job, bucket, as_json=as_json)
            return
        parts = (one_of(only, PARTS, name="`--only`"),) if only else PARTS
        store = open_store(bucket)
        for check in examine_machine(store) if "machine" in parts else ():
            missing += check.level is Level.FAIL
            _print(asdict(check), f"{check.level:<6}{check.check}: {check.message}", as_json)
        for finding in examine(store, repair=repair) if "objects" in parts else ():
            found += 1
            left += finding.done is None
            _print(asdict(finding), finding.problem, as_json)
    if "objects" in parts and not found and not as_json:
        print("no damaged objects")
    if missing or left:
        raise typer.Exit(DamagedError.exit_code)


def _examine_cloud(job: str | None, bucket: str, *, as_json: bool) -> None:
    from contract.exceptions import ConfigError, ServiceError
    from contract.stores import open_store
    from mmm.cloud.api import Api
    from mmm.cloud.doctor import examine_cloud
    from mmm.cloud.installation import Installation
    from mmm.machine import Level

    if job is None:
        raise ConfigError("`--cloud` needs `--job`; `terraform output mmm` shows it")
    one = Installation.of(job, bucket)
    failed = 0
    for check in examine_cloud(Api.connect(), one, open_store(bucket), os.environ):
        failed += check.level is Level.FAIL
        _print(asdict(check), f"{check.level:<6}{check.check}: {check.message}", as_json)
    if failed:
        raise typer.Exit(ServiceError.exit_code)


def _print(fields: dict[str, str | None], line: str, as_json: bool) -> None:
    from contract.printable import escape_invisible

    if as_json:
        print(json.dumps(fields), flush=True)
        return
    print(escape_invisible(line), flush=True)
    if fields.get("done"):
        print(escape_invisible(f"  done: {fields['done']}"), flush=True)
    elif fields.get("remedy"):
        print(escape_invisible(f"  remedy: {fields['remedy']}"), flush=True)
