"""`mmm resume MARKET`: begin the runs of a paused market again."""

from __future__ import annotations

from typing import Annotated

import typer

from contract.printable import one_line
from mmm.commands.common import DEFAULT_BUCKET, AsJson, Bucket, report_errors


def command(
    market: Annotated[str, typer.Argument(metavar="MARKET", help="The market, e.g. DE.")],
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: AsJson = False,
) -> None:
    """Begin the runs of a paused market again.

    Runs that were skipped meanwhile stay skipped; request one that is still wanted again. With
    --json it prints the pause that ended, null if it could not be read.

    Example: mmm resume DE --bucket gs://BUCKET
    """
    from contract.stores import open_store
    from mmm.pauses import resume

    with report_errors(as_json=as_json):
        ended = resume(open_store(bucket), market)
    if as_json:
        print(ended.to_json().decode() if ended else "null")
    else:
        print(one_line(f"RESUMED {ended.text() if ended else market}"))
