"""The commands of `mmm`, put together."""

from __future__ import annotations

from importlib import import_module

import typer

COMMANDS = ("run", "plan", "check", "init", "publish", "serve", "cancel", "dead-letters", "schema")

app = typer.Typer(
    name="mmm",
    help="Marketing mix models, every night: a message in, a trained model out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for _name in COMMANDS:
    app.command(_name)(import_module(f"mmm.commands.{_name.replace('-', '_')}").command)
