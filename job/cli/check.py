"""`mmm check CONFIG`: extract and gate only; exit 65 where the data blocks."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from contract.loading import load_config
from job.cli.common import Overrides, parse_overrides, told_plainly
from job.gate import check, render
from job.intake import read_config_text
from job.sources import extract


def command(
    config: Annotated[str, typer.Argument(help="Config file (YAML or JSON) or gs:// address.")],
    set_: Overrides = [],  # noqa: B006  typer reads the default, nobody changes it
    output: Annotated[
        Path | None, typer.Option(help="Write data_quality.json here as well.")
    ] = None,
) -> None:
    """Read the data and check it; train nothing."""
    with told_plainly():
        text = read_config_text(config)
        resolved = load_config(text, origin=config, overrides=parse_overrides(set_)).config
        with TemporaryDirectory(prefix="mmm-check-") as folder:
            snapshot = extract(resolved, run_id="check", to=Path(folder) / "snapshot.parquet")
            verdict = check(snapshot, resolved)
        if output is not None:
            output.write_text(json.dumps(verdict.to_dict(), indent=2, ensure_ascii=False))
        Console(soft_wrap=False).print(render(verdict))
        verdict.require()
