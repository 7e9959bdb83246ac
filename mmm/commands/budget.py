"""`mmm budget RUN`: what another split of the budget would bring."""

from __future__ import annotations

from typing import Annotated

import typer

from contract.exceptions import ConfigError
from mmm.commands.common import (
    DEFAULT_BUCKET,
    AsJson,
    Bucket,
    CurrentRun,
    Revision,
    print_table,
    report_errors,
)


def command(
    run: CurrentRun,
    change: Annotated[
        list[str],
        typer.Option(
            "--change",
            metavar="CHANNEL=FACTOR",
            help="A channel's spend as a multiple of today's, 0 to 2. May be repeated.",
        ),
    ] = [],  # noqa: B006  typer reads the default, nothing changes it
    revision: Revision = "r1",
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: AsJson = False,
) -> None:
    """Show what another split of the budget would bring.

    Reads the draws and response curves that the run stored; trains nothing. Prints each channel's
    spend and contribution in the modelled window, today and then, with 90% intervals, the change
    of the target and the chance of a gain.

    Example: mmm budget DE --change tv=0.8 --change search=1.3
    """
    from contract.amounts import chance
    from contract.stores import open_store
    from mmm.budget import read_curves, what_if
    from mmm.runs import find

    with report_errors(as_json=as_json):
        factors = _factors(change)
        store = open_store(bucket)
        found = what_if(read_curves(store, find(store, run, revision=revision)), factors)
    if as_json:
        print(found.model_dump_json())
        return
    rows = [("CHANNEL", "TIMES", "SPEND NOW", "THEN", "BRINGS NOW", "THEN", "90% INTERVAL")]
    rows += [
        (
            one.channel,
            f"{one.factor:g}",
            f"{one.spend_now:,.0f}",
            f"{one.spend_then:,.0f}",
            f"{one.contribution_now.median:,.0f}",
            f"{one.contribution_then.median:,.0f}",
            f"{one.contribution_then.low:,.0f} to {one.contribution_then.high:,.0f}",
        )
        for one in found.channels
    ]
    print_table(rows)
    change_of = found.change
    pays = (
        ""
        if found.chance_to_pay is None
        else f"; chance that it brings more than it costs {chance(found.chance_to_pay)}"
    )
    print(
        f"the target changes by {change_of.median:+,.0f} ({change_of.low:+,.0f} to "
        f"{change_of.high:+,.0f}), spend by {found.spend_change:+,.0f}; chance of a gain "
        f"{chance(found.chance)}{pays}"
    )


def _factors(changes: list[str]) -> dict[str, float]:
    found = {}
    for text in changes:
        name, equals, value = text.rpartition("=")
        try:
            found[name] = float(value)
        except ValueError:
            equals = ""
        if not equals or not name:
            raise ConfigError(f"`--change {text[:80]}` is not CHANNEL=FACTOR, e.g. tv=0.8")
    return found
