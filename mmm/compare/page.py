"""The comparison as an HTML page in the style of the report."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from contract.verdict import Level
from job.gate.wording import joined
from job.report import charts
from job.report.blocks import Block, Cell, Figure, Heading, Items, Note, Section, Table
from job.report.page import Page, render
from job.report.svg import draw
from mmm.compare.document import Compared, ComparedChannel
from mmm.compare.text import signed


def render_comparison(compared: Compared) -> str:
    """Return the comparison as one self-contained HTML file."""
    before, after = compared.before, compared.after
    return render(
        Page(
            title=f"{after.market}: two runs compared",
            subtitle=f"Before: run {before.run_id}. After: run {after.run_id}.",
            sentences=list(sentences(compared)),
            sections=[
                Section("runs", "The runs", [_runs(compared)]),
                Section("causes", "What differs", list(_causes(compared))),
                Section("channels", f"{_capital(compared.measure)} by channel", _parts(compared)),
            ],
            footer="Created by MMM Trainer.",
        )
    )


def sentences(compared: Compared) -> Iterator[str]:
    """Yield what changed most, what changed in total, and the verdict if it changed."""
    whole = next((c for c in compared.channels if c.name is None), None)
    if whole:
        yield f"All paid channels: {_change(compared, whole)}."
    moved = [c for c in compared.channels if c.name is not None and c.change]
    if moved:
        largest = max(moved, key=_ratio)
        yield f"{largest.name} changed the most: {_change(compared, largest)}."
        if len(largest.parts) > 1:
            part = max(largest.parts, key=lambda name: abs(largest.parts[name]))
            yield f"Most of that is from one cause: {part} ({signed(largest.parts[part])})."
    was, now = compared.before.verdict, compared.after.verdict
    same = "is" if was == now else f"was {was or 'not given'} and is"
    yield f"The verdict {same} {now or 'not given'}."
    if now == Level.FAIL:
        yield "Do not use the figures of the second run."


def _ratio(channel: ComparedChannel) -> float:
    """Return how many times the larger value is the smaller one."""
    low, high = sorted((channel.before, channel.after))
    return high / low if low > 0 else float("inf")


def _change(compared: Compared, channel: ComparedChannel) -> str:
    change = f" ({channel.change / channel.before:+.0%})" if channel.before > 0 else ""
    return f"{compared.measure} is {channel.after:.3g} and was {channel.before:.3g}{change}"


def _runs(compared: Compared) -> Table:
    head = ["when", "run", "window", "verdict", "R²", "chosen model"]
    rows = [
        [
            Cell(title),
            Cell(run.run_id),
            Cell(f"{run.window_start} to {run.window_end}", number=True),
            Cell(run.verdict or "none"),
            Cell("n/a" if run.rsq_train is None else f"{run.rsq_train:.2f}", number=True),
            Cell(run.best_model),
        ]
        for title, run in (("before", compared.before), ("after", compared.after))
    ]
    return Table([Cell(title, title in ("window", "R²")) for title in head], rows)


def _causes(compared: Compared) -> Iterator[Block]:
    if not compared.causes:
        yield Note("The runs have the same data, config, version and search.")
    for cause, said in compared.causes.items():
        yield Heading(_capital(cause))
        yield Items(said)
    for title, names in (("added", compared.added), ("removed", compared.removed)):
        if names:
            yield Note(f"Channels {title}: {joined(names, len(names))}.")


def _parts(compared: Compared) -> list[Block]:
    parts = list(dict.fromkeys(part for c in compared.channels for part in c.parts))
    head = ["channel", "before", "after", "change", *parts]
    rows = [
        [
            Cell(channel.name or "all paid channels"),
            Cell(f"{channel.before:.3g}", number=True),
            Cell(f"{channel.after:.3g}", number=True),
            Cell(signed(channel.change), number=True),
            *(
                Cell(signed(channel.parts[part]) if part in channel.parts else "", number=True)
                for part in parts
            ),
        ]
        for channel in compared.channels
    ]
    about = (
        f"Figures are those of the {compared.figures}. The parts add up to the change; a part is "
        "the change when its cause is applied after those to its left."
    )
    blocks: list[Block] = [
        *([_picture(compared)] if compared.channels else []),
        Table([Cell(title, place > 0) for place, title in enumerate(head)], rows),
        Note(about),
    ]
    if compared.shared:
        blocks.append(Note(f"The causes share one part, because {compared.shared}.", "warning"))
    return blocks


def _picture(compared: Compared) -> Figure:
    measures = ("before", "after")
    rows = [
        {
            "channel": channel.name or "all paid channels ",  # no channel's name ends with a blank
            "measure": measure,
            "value": value,
            "label": f"{value:.3g}",
            "tooltip": f"{channel.name or 'all paid channels'}; {measure} {value:.3g}",
        }
        for channel in compared.channels
        for measure, value in zip(measures, (channel.before, channel.after), strict=True)
    ]
    says = "Two bars of a channel that differ in length show a change."
    svg = draw(
        partial(
            charts.pairs,
            frame=pd.DataFrame(rows),
            measures=measures,
            title=compared.measure,
            axis=charts.number_axis,
        ),
        name="channels",
        description=f"{_capital(compared.measure)} of each channel in both runs.",
    )
    return Figure(svg, says, f"{_capital(compared.measure)}, by the {compared.figures}.")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
