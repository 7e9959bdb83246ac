"""`mmm doctor`: what this machine lacks, and the damaged objects of a bucket."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

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
    as_json: JsonLines = False,
) -> None:
    """Examine this machine and a bucket.

    Prints what the machine has for training: Python, disk, memory, clock, R and its packages,
    Robyn, pictures, nevergrad. Then prints each damaged object of the bucket. What is missing or
    damaged has a remedy. --repair makes a damaged object again if others say what was in it, or
    else sets it aside below `damaged/`. Exits with 69 if something that is needed is missing, if a
    damaged object is left, or if a service refuses.

    Examples: mmm doctor --only machine; mmm doctor --bucket gs://BUCKET --repair
    """
    from contract.exceptions import DamagedError
    from contract.stores import open_store
    from mmm.doctor import examine
    from mmm.machine import Level, examine_machine

    missing = found = left = 0
    with report_errors(as_json=as_json):
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
