"""`mmm pause MARKET --reason …`: begin no more runs of a market."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from contract.printable import one_line
from mmm.commands.common import DEFAULT_BUCKET, AsJson, Bucket, DecidedBy, report_errors


def command(
    market: Annotated[str, typer.Argument(metavar="MARKET", help="The market, e.g. DE.")],
    reason: Annotated[str, typer.Option(help="Why, for those who find the market paused.")],
    by: DecidedBy = None,
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: AsJson = False,
) -> None:
    """Begin no more runs of a market.

    Each run that is requested from now on, by a schedule, a message or `mmm run`, and each that
    waits for the market, ends as SKIPPED with the reason. A run that is at work finishes; `mmm
    cancel` stops it. `mmm status` shows the pause. A market that is paused already keeps its first
    pause.

    Example: mmm pause DE --reason "the warehouse is migrated until Friday" --bucket gs://BUCKET
    """
    from contract import layout
    from contract.stores import open_store
    from mmm.decisions import current_user
    from mmm.pauses import pause

    with report_errors(as_json=as_json):
        store = open_store(bucket)
        stored = pause(store, market, by=by or current_user(), reason=reason)
        if store.stat(layout.market(market)) is None:
            print(f"note: market {market} has had no run in {store.url}", file=sys.stderr)
    if as_json:
        print(stored.to_json().decode())
    else:
        print(one_line(f"PAUSED {stored.text()}"))
