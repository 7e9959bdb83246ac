"""The comparison as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from contract.printable import one_line
from mmm.compare.document import Compared, ComparedRun

Rows = Sequence[Sequence[str]]


def parts(compared: Compared) -> Iterator[Rows | str]:
    """Yield the runs, what changed, and the channels with the parts of their changes.

    A table is its rows; the first one is the header.
    """
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


def _runs(compared: Compared) -> Rows:
    runs = (("before", compared.before), ("after", compared.after))
    return [("", "RUN", "WINDOW", "VERDICT", "R²"), *((title, *_row(run)) for title, run in runs)]


def _row(run: ComparedRun) -> tuple[str, ...]:
    r2 = "n/a" if run.rsq_train is None else f"{run.rsq_train:.2f}"
    window = f"{run.window_start} to {run.window_end}"
    return run.run_id, window, run.verdict or "none", r2


def _channels(compared: Compared) -> Rows:
    causes = list(dict.fromkeys(cause for c in compared.channels for cause in c.parts))
    rows = [["CHANNEL", "BEFORE", "AFTER", "CHANGE", *(cause.upper() for cause in causes)]]
    for channel in compared.channels:
        name = "all paid channels" if channel.name is None else channel.name
        figures = [f"{channel.before:.3g}", f"{channel.after:.3g}", signed(channel.change)]
        figures += [signed(channel.parts[c]) if c in channel.parts else "" for c in causes]
        rows.append([name, *figures])
    return rows


def signed(value: float) -> str:
    """Return a change with its sign; one that rounds to nothing is 0."""
    return f"{value:+.3g}" if abs(value) >= 0.0005 else "0"
