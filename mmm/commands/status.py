"""`mmm status`: every market with its current run, and what is at work."""

from __future__ import annotations

import sys

from mmm.commands.common import DEFAULT_BUCKET, Bucket, JsonLines, print_table, report_errors


def command(
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: JsonLines = False,
) -> None:
    """Show every market.

    Prints a line per market: its current run with verdict and age, a newer run that is held and
    waits for a decision, the runs that have not ended, and whether it is paused. `mmm list --market
    M` shows a market's runs.

    Example: mmm status --bucket gs://BUCKET
    """
    from contract.run import now
    from contract.stores import open_store
    from mmm.runs import markets

    with report_errors(as_json=as_json):
        found = markets(open_store(bucket))
    if as_json:
        for one in found:
            print(one.model_dump_json())
        return
    if not found:
        print(f"no markets in {bucket}; `mmm run CONFIG` starts a run", file=sys.stderr)
        return
    rows = [("MARKET", "REVISION", "CURRENT RUN", "VERDICT", "AGE (DAYS)", "WAITS", "PAUSED")]
    for one in found:
        current, waits = one.current, [*([one.held] if one.held else []), *one.open]
        age = f"{(now() - current.created_at).total_seconds() / 86400:.1f}" if current else ""
        rows.append(
            (
                one.market,
                one.revision,
                current.run_id if current else "none",
                (current.verdict or "") if current else "",
                age,
                ", ".join(f"{run.run_id} {run.state}" for run in waits),
                (one.pause.text() if one.pause else "yes") if one.is_paused else "",
            )
        )
    print_table(rows)
