"""A plan as text: one screen, or all of it. Its first line needs the config alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from contract.config import Config
from contract.loading import Resolved, flatten
from contract.printable import escape_invisible, one_line, short

if TYPE_CHECKING:
    from rich.table import Table

    from job.cost.estimate import Estimate
    from mmm.plan import Change, Plan

MOST_CHANGES = 8


def print_first(config: Config) -> None:
    """Print the first line of a plan."""
    target = f"{config.target.column} ({config.target.kind.value})"
    _print_line("market", f"{config.market}, revision {config.revision}, target {target}")


def print_short(plan: Plan) -> None:
    """Print the other lines of a plan that is one screen long."""
    for name, text in _summary(plan):
        _print_line(name, text)


def _print_line(name: str, text: str) -> None:
    print(escape_invisible(f"{name:<9}{one_line(text)}".rstrip()), flush=True)


def _summary(plan: Plan) -> Iterator[tuple[str, str]]:
    from job.cost.memory import needed_gib

    config, estimate = plan.resolved.config, plan.estimate
    work = estimate.work
    rows = f"{work.rows} {config.date.frequency.value}s, from {estimate.rows_from}"
    yield "data", f"{_source(config)}; {rows}"
    yield "channels", ", ".join(channel.name for channel in config.channels)
    for name in ("organic", "context", "factors"):
        if columns := getattr(config, name):
            yield name, ", ".join(columns)
    if plan.annotations is not None:
        yield "events", ", ".join(plan.annotations.names)
    training = config.training
    yield (
        "search",
        f"{work.trials} trials of {work.iterations} iterations, engine {work.engine}, adstock "
        f"{training.adstock.value}, seed {training.seed}",
    )
    tasks = f"{work.tasks} tasks of " if work.tasks > 1 else ""
    yield "time", f"{estimate.minutes:.1f} minutes"
    yield "cost", f"{estimate.amount:.4f} {estimate.currency} on {tasks}{estimate.machine}"
    yield "memory", f"{needed_gib(work):.1f} of {estimate.machine.gib:g} GiB, files included"
    for problem in plan.over:
        yield "over", problem
    if plan.expected:
        from mmm import prior

        first, *others = prior.lines(plan.expected, config)
        yield "priors", first
        yield from (("", line) for line in others)
    if plan.current is None:
        yield "current", "the market has no current run"
    elif not plan.changes:
        yield "current", f"{plan.current}, with the same config"
    else:
        yield "current", f"{plan.current}, whose config differs:"
        yield from (("", _change(change)) for change in plan.changes[:MOST_CHANGES])
        if len(plan.changes) > MOST_CHANGES:
            yield "", f"… and {len(plan.changes) - MOST_CHANGES} more (`--full`)"


def _source(config: Config) -> str:
    source = config.source
    place = getattr(source, "path", None)
    query = getattr(source, "query", None)
    what = getattr(source, "table", None) or (short(query) if query else None)
    return " ".join(str(part) for part in (source.type, place, what) if part)


def _change(change: Change) -> str:
    return f"{change.field}: {_show(change.before)} → {_show(change.after)}"


def print_full(plan: Plan) -> None:
    """Print every value with its origin, the SQL, and the estimate with its parts."""
    from mmm import prior
    from mmm.commands.common import text_console

    console = text_console()
    console.print(_values(plan.resolved))
    if plan.annotations is not None:
        console.print("\nAnnotations", style="bold")
        for event in plan.annotations.events:
            print(escape_invisible(f"{event.name}  {event.days()}"))
    console.print("\nSQL", style="bold")
    print(escape_invisible(plan.sql))
    print(f"\nconfig hash  {plan.resolved.config.hash()}")
    key = "from the idempotency key" if plan.by_key else "its last 8 digits depend on the message"
    print(f"run id       {plan.run_id}  (if requested now; {key})")
    console.print("\nEstimate", style="bold")
    print("\n".join(_lines(plan.estimate)))
    if plan.expected:
        console.print("\nExpected before the data are seen (`posterior.priors`)", style="bold")
        for line in prior.lines(plan.expected, plan.resolved.config):
            print(escape_invisible(line))
    if plan.changes:
        console.print(f"\nDifferent from the current run {plan.current}", style="bold")
        for change in plan.changes:
            print(escape_invisible(one_line(_change(change))))


def _lines(estimate: Estimate) -> list[str]:
    """Return the estimate as lines of text."""
    from job.cost.model import measured_on
    from job.cost.prices import load_prices

    prices, work = load_prices(), estimate.work
    parts = ", ".join(f"{part} {seconds:.0f} s" for part, seconds in estimate.parts.items())
    tasks = f"{work.tasks} tasks of " if work.tasks > 1 else ""
    known = estimate.machine.region in prices.known_regions
    unknown = "" if known else "; the region is not in the price list, so the highest price is used"
    return [
        f"{estimate.minutes:.1f} minutes  {parts}",
        f"{estimate.amount:.4f} {estimate.currency}  on {tasks}{estimate.machine} in Cloud Run, "
        f"prices of {prices.date} ({prices.source}){unknown}",
        f"{work.rows} rows ({estimate.rows_from}), {work.media} media, {work.drivers} other "
        f"drivers, {work.trials} trials of {work.iterations} iterations, "
        f"{min(work.cores, work.trials)} at once, engine {work.engine}",
        f"measured on {measured_on()}; {_correction(estimate)}",
    ]


def _correction(estimate: Estimate) -> str:
    if not estimate.history.runs:
        return "not corrected, because there are no past runs"
    return f"corrected by {estimate.history}"


def _values(resolved: Resolved) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for head in ("field", "value", "origin"):
        table.add_column(head, overflow="fold")
    for path, value in flatten(resolved.config.model_dump(mode="json")):
        table.add_row(one_line(path), _show(value), resolved.origins.get(path, "default"))
    return table


def _show(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return f"[{', '.join(_show(item) for item in value)}]"
    return str(value).lower() if isinstance(value, bool) else escape_invisible(str(value))
