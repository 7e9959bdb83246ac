"""`mmm doctor`: find damaged objects in a bucket, and repair them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from mmm.commands.common import DEFAULT_BUCKET, Bucket, report_errors


def command(
    bucket: Bucket = DEFAULT_BUCKET,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make damaged objects again or set them aside.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per line.")
    ] = False,
) -> None:
    """Find damaged objects in a bucket.

    Prints each damaged object with its problem and its remedy. --repair makes an object again if
    others say what was in it, or else sets it aside below `damaged/`. Exits with 69 if a damaged
    object is left, or if a service refuses.
    """
    from contract.exceptions import DamagedError
    from contract.printable import escape_invisible
    from contract.stores import open_store
    from mmm.doctor import examine

    found = left = 0
    with report_errors(as_json=as_json):
        for finding in examine(open_store(bucket), repair=repair):
            found += 1
            left += finding.done is None
            if as_json:
                print(json.dumps(asdict(finding)), flush=True)
            else:
                said = f"done: {finding.done}" if finding.done else f"remedy: {finding.remedy}"
                print(escape_invisible(f"{finding.problem}\n  {said}"), flush=True)
    if not found and not as_json:
        print("no damaged objects")
    if left:
        raise typer.Exit(DamagedError.exit_code)
