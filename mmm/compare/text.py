"""The comparison as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from contract.printable import one_line
from mmm.compare.document import Compared, ComparedRun


def tables(compared: Compared) -> Iterator[Table | str]:
    """Yield the runs, what changed, and the table of channels with the parts of their changes."""
    yield _runs(compared)
    if not compared.causes:
        yield "The runs have the same data, config, version and search."
    for cause, sentences in compared.causes.items():
        yield f"\n{cause}"
        yield from (f"  {one_line(sentence)}" for sentence in sentences)
    for title, names in (("added", compared.added), ("removed", compared.removed)):
        if names:
            yield f"\nchannels {title}: {one_line(', '.join(names))}"
    yield f"\n{compared.measure}, by the {compared.figures}"
    yield _channels(compared)
    if compared.shared:
        yield f"The causes share one part, because {compared.shared}."


def _runs(compared: Compared) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in ("", "run", "window", "verdict", "R²"):
        table.add_column(head)
    for title, run in (("before", compared.before), ("after", compared.after)):
        table.add_row(title, *_row(run))
    return table


def _row(run: ComparedRun) -> tuple[str, ...]:
    r2 = "n/a" if run.rsq_train is None else f"{run.rsq_train:.2f}"
    window = f"{run.window_start} to {run.window_end}"
    return run.run_id, window, run.verdict or "none", r2


def _channels(compared: Compared) -> Table:
    parts = list(dict.fromkeys(part for c in compared.channels for part in c.parts))
    table = Table(box=None, pad_edge=False)
    table.add_column("channel")
    for head in ("before", "after", "change", *parts):
        table.add_column(head, justify="right")
    for channel in compared.channels:
        name = "all paid channels" if channel.name is None else one_line(channel.name)
        figures = [f"{channel.before:.3g}", f"{channel.after:.3g}", signed(channel.change)]
        figures += [signed(channel.parts[part]) if part in channel.parts else "" for part in parts]
        table.add_row(Text(name), *figures)
    return table


def signed(value: float) -> str:
    """Return a change with its sign; one that rounds to nothing is 0."""
    return f"{value:+.3g}" if abs(value) >= 0.0005 else "0"
