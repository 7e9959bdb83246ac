"""`mmm save CONFIG`: put a config into the bucket, never over a version that was not seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from contract.exceptions import ConfigError
from mmm.commands.common import DEFAULT_BUCKET, AsJson, Bucket, DecidedBy, report_errors


def command(
    config: Annotated[
        str, typer.Argument(metavar="CONFIG", help="Config file (YAML or JSON) or gs:// address.")
    ],
    name: Annotated[
        str | None,
        typer.Option(help="Name in the bucket, `configs/NAME.yaml`; by default the file's."),
    ] = None,
    replace: Annotated[
        int | None,
        typer.Option(metavar="VERSION", help="The version that this one replaces."),
    ] = None,
    by: DecidedBy = None,
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: AsJson = False,
) -> None:
    """Save a config to the bucket.

    Prints its address and its version. A config that exists is replaced only with --replace and
    its newest version, so nobody's change is lost; the replaced version is kept below
    `config-versions/`.

    Example: mmm save de.yaml --bucket gs://BUCKET
    """
    from contract.stores import open_store
    from job.attempt.request import read_config_text
    from mmm.configs import address, read, save
    from mmm.decisions import current_user
    from mmm.results import Saved

    with report_errors(as_json=as_json):
        store = open_store(bucket)
        name = name or Path(config).stem
        stored = read(store, name)
        if replace is None and stored is not None:
            raise ConfigError(
                f"`configs/{name}.yaml` exists, version {stored.generation}; to replace it, add "
                f"`--replace {stored.generation}`, or save under another name with `--name`"
            )
        text = read_config_text(config).decode(errors="replace")
        saved = save(store, name, text, seen=replace or 0, by=by or current_user())
        done = Saved(address=address(store, saved.name), version=saved.generation)
    print(done.model_dump_json() if as_json else f"{done.address} version {done.version}")
