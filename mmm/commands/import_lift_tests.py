"""`mmm import-lift-tests FILE`: lift tests of other tools as lines for the config."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from mmm.commands.common import AsJson, one_of, report_errors


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON file of the results.")],
    channel: Annotated[
        list[str],
        typer.Option(
            metavar="[CELL=]NAME",
            help="The channel that was tested, of a cell if there are several. May be repeated.",
        ),
    ] = [],  # noqa: B006  typer reads the default, nothing changes it
    start: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day of the test.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of the test.")
    ] = None,
    lift: Annotated[float | None, typer.Option(help="Total lift of the target.")] = None,
    spend: Annotated[float | None, typer.Option(help="Spend that the test changed.")] = None,
    standard_error: Annotated[
        float | None, typer.Option(help="Standard error of the total lift.")
    ] = None,
    level: Annotated[
        float, typer.Option(min=0.01, max=0.999, help="Level of the file's interval.")
    ] = 0.9,
    scope: Annotated[
        str | None, typer.Option(help="immediate or total: with carry-over or without.")
    ] = None,
    config: Annotated[
        str | None, typer.Option(help="Config to check the channels and dates with.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read lift tests from files of other tools.

    Prints lines for the config's `calibration`. FILE is a CSV with the fields of `calibration`, a
    result of GeoLift, or an analysis of Meridian GeoX. What the file does not say comes from the
    options, which also overrule it.

    Example: mmm import-lift-tests geolift.json --channel tv --start 2025-03-03 --end 2025-03-30
    --spend 120000
    """
    from mmm.lift_tests import Stated, read

    with report_errors(as_json=as_json):
        if scope is not None:
            one_of(scope, ("immediate", "total"), name="`--scope`")
        tests = read(
            file,
            Stated(
                channels=_channels(channel),
                start=_day(start),
                end=_day(end),
                lift=lift,
                spend=spend,
                standard_error=standard_error,
                level=level,
                scope=scope,
            ),
        )
        rows = [test.model_dump(mode="json", exclude_unset=True) for test in tests]
        if config is not None:
            _check(config, rows)
        if as_json:
            print(json.dumps({"calibration": rows}, ensure_ascii=False))
        else:
            from yaml import safe_dump

            print(safe_dump({"calibration": rows}, sort_keys=False, allow_unicode=True), end="")


def _channels(assignments: list[str]) -> dict[str | None, str]:
    """Return {cell: channel}; the key None is for a channel without a cell."""
    out: dict[str | None, str] = {}
    for assignment in assignments:
        cell, equals, name = assignment.rpartition("=")
        out[cell if equals else None] = name
    return out


def _day(value: datetime | None) -> date | None:
    return None if value is None else value.date()


def _check(config: str, rows: list[dict[str, object]]) -> None:
    """Load the config with these tests beside its own.

    Raises:
        ConfigError: the config cannot be loaded, or does not have a test's channel or dates.
    """
    from contract.loading import load_config
    from job.attempt.request import read_config_text

    text = read_config_text(config)
    own = load_config(text, origin=config).config.calibration
    every = [*(test.model_dump(mode="json", exclude_unset=True) for test in own), *rows]
    load_config(text, origin=config, overrides={"calibration": every}, option="the lift test")
