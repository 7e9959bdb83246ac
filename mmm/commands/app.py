"""The app of `mmm`, assembled from its commands.

Each command imports what it needs when it runs, so help and completion are fast.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Annotated

import typer

COMMANDS = (
    "run",
    "plan",
    "check",
    "init",
    "import-lift-tests",
    "import-config",
    "save",
    "publish",
    "serve",
    "status",
    "list",
    "show",
    "watch",
    "logs",
    "open",
    "cancel",
    "pause",
    "resume",
    "compare",
    "budget",
    "stability",
    "replay",
    "upgrade-check",
    "export",
    "promote",
    "hold",
    "rollback",
    "delete",
    "dead-letters",
    "doctor",
    "schema",
)

app = typer.Typer(
    name="mmm",
    help="Marketing mix models, every night: a message in, a trained model out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"mmm {version('mmm-trainer')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Marketing mix models, every night: a message in, a trained model out."""


for _name in COMMANDS:
    app.command(_name)(import_module(f"mmm.commands.{_name.replace('-', '_')}").command)
