"""`mmm plan CONFIG`: what a run would do; runs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from contract import runid
from contract.loading import Resolved, flatten, load_config
from contract.run import now
from job.cli.common import Overrides, parse_overrides, told_plainly
from job.intake import read_config_text


def command(
    config: Annotated[str, typer.Argument(help="Config file (YAML or JSON) or gs:// address.")],
    set_: Overrides = [],  # noqa: B006  typer reads the default, nobody changes it
    key: Annotated[
        str | None, typer.Option(help="Idempotency key of the message that would ask for the run.")
    ] = None,
) -> None:
    """Print the resolved config with the origin of each value, the SQL and the run id."""
    with told_plainly():
        text = read_config_text(config)
        origin = config if config.startswith("gs://") else Path(config).name
        resolved = load_config(text, origin=origin, overrides=parse_overrides(set_))
        from job.sources import planned_sql  # heavy: help and refusals do without it

        sql = planned_sql(resolved.config)
    console = Console(soft_wrap=True)
    console.print(_values(resolved))
    console.print("\nSQL", style="bold")
    print(sql)
    print(f"\nconfig hash  {resolved.config.hash()}")
    wanted = key or f"{origin}|{resolved.config.hash()}"
    source = "of the idempotency key" if key else "a message's own id decides the eight digits"
    print(f"run id       {runid.make(wanted, now())}  (if it came now; {source})")


def _values(resolved: Resolved) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in ("field", "value", "origin"):
        table.add_column(head, overflow="fold")
    for path, value in flatten(resolved.config.model_dump(mode="json")):
        table.add_row(path, _show(value), resolved.origins.get(path, "default"))
    return table


def _show(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return f"[{', '.join(_show(item) for item in value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
