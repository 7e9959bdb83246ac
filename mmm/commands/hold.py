"""`mmm hold RUN --reason …`: keep a run from being its market's current one."""

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
    """Keep a run from being its market's current one.

    If it is the current run, the last other accepted run becomes current. A run that has not ended
    yet will end as HELD. A later run of the same config and data is HELD too.

    Example: mmm hold 20261123T020000Z-1a2b3c4d --reason "spend of May is missing"
    """
    from contract.stores import open_store
    from mmm.decisions import current_user, hold

    with report_errors(as_json=as_json):
        decision = hold(open_store(bucket), run_id, reason=reason, by=by or current_user())
        print_decision(decision, as_json=as_json)
