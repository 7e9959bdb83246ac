"""`mmm rollback MARKET --reason …`: go back to the accepted run before the current one."""

from __future__ import annotations

from typing import Annotated

import typer

from mmm.commands.common import (
    DEFAULT_BUCKET,
    AsJson,
    Bucket,
    DecidedBy,
    Reason,
    print_decision,
    report_errors,
)


def command(
    market: Annotated[str, typer.Argument(metavar="MARKET", help="The market, e.g. DE.")],
    reason: Reason,
    revision: Annotated[str, typer.Option(help="Revision of the config.")] = "r1",
    by: DecidedBy = None,
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: AsJson = False,
) -> None:
    """Go back to the accepted run before a market's current one.

    The run that was current is held: neither it nor a run of the same config and data becomes
    current again, unless a person promotes it.

    Example: mmm rollback DE --reason "the warehouse delivered half of the sales"
    """
    from contract.stores import open_store
    from mmm.decisions import current_user, rollback

    with report_errors(as_json=as_json):
        decision = rollback(
            open_store(bucket), market, revision, reason=reason, by=by or current_user()
        )
        print_decision(decision, as_json=as_json)
