"""`mmm delete RUN --reason …`: delete what a run left."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from contract.exceptions import ConfigError
from contract.printable import one_line
from mmm.commands.common import DEFAULT_BUCKET, AsJson, Bucket, DecidedBy, Reason, report_errors


def command(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")],
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    by: DecidedBy = None,
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: AsJson = False,
) -> None:
    """Delete a run's artifacts, config, data, checkpoints and logs.

    Refuses a run that is at work, and its market's current one. What stays: the ledger of decisions
    with who deleted the run, when and why; and the run's state and times, so that `mmm list` shows
    it and its message, delivered again, starts no new run. Old versions of the objects stay as long
    as the bucket keeps them, and events that were published stay with their subscribers.

    Example: mmm delete 20261123T020000Z-1a2b3c4d --reason "trained on wrong data" --yes
    """
    from contract.stores import open_store
    from mmm.decisions import current_user
    from mmm.deletion import deletable, delete

    with report_errors(as_json=as_json):
        store = open_store(bucket)
        status, objects = deletable(store, run_id)
        megabytes = sum(info.size for info in objects) / 1e6
        what = f"{len(objects)} objects ({megabytes:.1f} MB) of run {run_id} ({status.state})"
        if not yes:
            if not (sys.stdin.isatty() and sys.stderr.isatty()):
                raise ConfigError(f"give `--yes` to delete {what} in {store.url}")
            typer.confirm(f"Delete {what} in {store.url}?", abort=True, err=True)
        decision = delete(store, run_id, reason=reason, by=by or current_user())
    if as_json:
        print(decision.to_json().decode())
    else:
        print(one_line(f"DELETED {run_id}: {what}; its place in the ledger and in the list stays"))
