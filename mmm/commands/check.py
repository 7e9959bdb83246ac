"""`mmm check CONFIG`: read and check the data; exit 65 if it is not fit for training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from contract.exceptions import ConfigError, DamagedError
from mmm.commands.common import AsJson, Overrides, parse_overrides, report_errors, text_console


def command(
    config: Annotated[
        str, typer.Argument(metavar="CONFIG", help="Config file (YAML or JSON) or gs:// address.")
    ],
    set_: Overrides = [],  # noqa: B006  typer reads the default, nothing changes it
    previous: Annotated[
        Path | None,
        typer.Option(help="data_quality.json of the last accepted run, to compare with."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write data_quality.json here as well.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read and check the data without training.

    Prints each check with its figure and remedy. Exits with 65 if the data is not fit for training.

    Examples: mmm check de.yaml; mmm check de.yaml --json
    """
    from contract.loading import load_config
    from job.attempt.request import read_config_text
    from job.gate import render
    from mmm.check import check_data

    with report_errors(as_json=as_json):
        text = read_config_text(config)
        resolved = load_config(
            text, origin=config, overrides=parse_overrides(set_), option="--set"
        ).config
        verdict = check_data(resolved, previous=_read(previous))
        if output is not None:
            output.write_text(json.dumps(verdict.to_dict(), indent=2, ensure_ascii=False))
        if as_json:
            print(json.dumps(verdict.to_dict(), ensure_ascii=False))
        else:
            text_console().print(render(verdict))
        verdict.require()


def _read(previous: Path | None) -> dict[str, Any] | None:
    if previous is None:
        return None
    from job.gate.previous import Quality

    try:
        quality = Quality.from_json(previous.read_bytes(), path=str(previous))
    except OSError as error:
        raise ConfigError(f"`--previous {previous}` cannot be read: {error}") from None
    except DamagedError as error:
        raise ConfigError(f"`--previous`: {error.message}") from None
    if quality.profile is None:
        raise ConfigError(
            f"`--previous {previous}` is not a data_quality.json: it has no `profile`"
        )
    return quality.model_dump(mode="json", exclude_none=True)
