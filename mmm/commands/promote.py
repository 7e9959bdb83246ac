"""`mmm promote RUN --reason …`: make a run its market's current one."""

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
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")],
    reason: Reason,
    by: DecidedBy = None,
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: AsJson = False,
) -> None:
    """Make a run its market's current one.

    For a run that is HELD, or an older one that SUCCEEDED. Its state does not change; the decision
    goes into the ledger (`decisions/` in the bucket). The next run is compared with this one.

    Example: mmm promote 20261123T020000Z-1a2b3c4d --reason "the price change is real"
    """
    from contract.stores import open_store
    from mmm.decisions import current_user, promote

    with report_errors(as_json=as_json):
        decision = promote(open_store(bucket), run_id, reason=reason, by=by or current_user())
        print_decision(decision, as_json=as_json)
