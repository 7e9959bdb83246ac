"""`mmm plan CONFIG`: what a run would do, take and cost; runs nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from contract import runid
from contract.exceptions import ConfigError
from contract.loading import Resolved, flatten, load_config
from contract.printable import one_line, visible
from contract.run import now
from contract.suggest import did_you_mean
from job.attempt.request import read_config_text
from mmm.commands.common import DEFAULT_BUCKET, Bucket, Overrides, parse_overrides, told_plainly

if TYPE_CHECKING:
    from job.cost.estimate import Estimate
    from job.cost.machine import Machine
    from job.sources.annotations import Annotations

USUAL_YEARS = 3  # of data, where neither the config nor a past run tells


def command(
    config: Annotated[str, typer.Argument(help="Config file (YAML or JSON) or gs:// address.")],
    set_: Overrides = [],  # noqa: B006  typer reads the default, nobody changes it
    key: Annotated[
        str | None, typer.Option(help="Idempotency key of the message that would ask for the run.")
    ] = None,
    bucket: Bucket = DEFAULT_BUCKET,
    rows: Annotated[
        int | None,
        typer.Option(
            min=1, help="Periods of the data; by default of the date window or the last run."
        ),
    ] = None,
    cpu: Annotated[
        str | None, typer.Option(help="vCPUs of a task, e.g. 4; by default this machine's.")
    ] = None,
    memory: Annotated[str | None, typer.Option(help="Memory of a task, e.g. 8Gi.")] = None,
    region: Annotated[
        str | None, typer.Option(help="Region whose prices count, e.g. europe-west1.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print the resolved config, the SQL, the run id, and the expected minutes and money.

    Past runs in the bucket correct the estimate. Exit 64 where the run is over `limits`.
    """
    with told_plainly():
        text = read_config_text(config)
        origin = config if config.startswith("gs://") else Path(config).name
        resolved = load_config(text, origin=origin, overrides=parse_overrides(set_))
        from job.cost import limits
        from job.sources import planned_sql
        from job.sources.annotations_file import read_annotations  # heavy: help does without them

        annotations = read_annotations(resolved.config)
        sql = planned_sql(resolved.config)
        machine = _machine(cpu, memory, region)
        estimate = _estimate(resolved, bucket, machine, rows, annotations, own_cores=cpu is None)
        over = limits.problems(resolved.config.limits, estimate)
        wanted = key or f"{origin}|{resolved.config.hash()}"
        run_id = runid.make(wanted, now())
        if json_:
            print(json.dumps(_document(resolved, sql, run_id, annotations, estimate, over)))
        else:
            _print(resolved, sql, run_id, annotations, estimate, by_key=key is not None)
        limits.require(resolved.config.limits, estimate)


def _machine(cpu: str | None, memory: str | None, region: str | None) -> Machine:
    """This machine, or what the options say of another."""
    from job.cost.machine import GIB_PER_VCPU, cpus, gibibytes, this_machine
    from job.cost.prices import load_prices

    machine = this_machine()
    if cpu is not None:
        vcpus = cpus(cpu, "--cpu")
        machine = replace(machine, vcpus=vcpus, gib=vcpus * GIB_PER_VCPU)
    if memory is not None:
        machine = replace(machine, gib=gibibytes(memory, "--memory"))
    known = load_prices().known_regions
    if region is not None and region not in known:
        hint = did_you_mean(region, known) or f" It has {', '.join(known)}."
        raise ConfigError(f"`--region` is `{region}`, which the price list does not have.{hint}")
    return replace(machine, region=region or machine.region)


def _estimate(
    resolved: Resolved,
    bucket: str,
    machine: Machine,
    rows: int | None,
    annotations: Annotations | None,
    *,
    own_cores: bool,
) -> Estimate:
    from contract.stores import open_store
    from job.cost.estimate import make_estimate
    from job.cost.history import read_history
    from job.cost.work import PERIODS_A_YEAR, expected_rows, work_of
    from job.runtime.machine import available_cores
    from job.runtime.settings import r_root_of, rscript_of
    from job.train.engine import engine_here

    config = resolved.config
    engine = engine_here(config.training.engine, rscript=rscript_of(), r_root=r_root_of())
    history = read_history(
        open_store(bucket), market=config.market, revision=config.revision, engine=engine
    )
    usual = USUAL_YEARS * PERIODS_A_YEAR[config.date.frequency]
    expected, rows_from = expected_rows(config, today=now().date(), last_run=history.rows)
    if rows is not None:
        expected, rows_from = rows, "--rows"
    elif expected is None:
        expected, rows_from = usual, f"{USUAL_YEARS} years assumed; give --rows"
    cores = config.training.cores or (
        available_cores() if own_cores else max(int(machine.vcpus), 1)
    )
    work = work_of(
        config,
        engine=engine,
        rows=expected,
        cores=cores,
        tasks=config.training.tasks,
        events=len(annotations.names) if annotations else 0,
    )
    return make_estimate(work, machine, history, rows_from=rows_from)


def _document(
    resolved: Resolved,
    sql: str,
    run_id: str,
    annotations: Annotations | None,
    estimate: Estimate,
    over: list[str],
) -> dict[str, Any]:
    return {
        "config": resolved.config.model_dump(mode="json"),
        "origins": resolved.origins,
        "config_hash": resolved.config.hash(),
        "run_id": run_id,
        "sql": sql,
        "annotations": annotations.to_json() if annotations else None,
        "estimate": estimate.to_json(),
        "over_limits": over,
    }


def _print(
    resolved: Resolved,
    sql: str,
    run_id: str,
    annotations: Annotations | None,
    estimate: Estimate,
    *,
    by_key: bool,
) -> None:
    console = Console(soft_wrap=True, markup=False, emoji=False)
    console.print(_values(resolved))
    if annotations is not None:
        console.print("\nEvents", style="bold")
        for event in annotations.events:
            print(visible(f"{event.name}  {event.days()}"))
    console.print("\nSQL", style="bold")
    print(visible(sql))
    print(f"\nconfig hash  {resolved.config.hash()}")
    source = "of the idempotency key" if by_key else "a message's own id decides the eight digits"
    print(f"run id       {run_id}  (if it came now; {source})")
    console.print("\nEstimate", style="bold")
    print("\n".join(_lines(estimate)))


def _lines(estimate: Estimate) -> list[str]:
    """The estimate for people."""
    from job.cost.model import measured_on
    from job.cost.prices import load_prices

    prices, work = load_prices(), estimate.work
    parts = ", ".join(f"{part} {seconds:.0f} s" for part, seconds in estimate.parts.items())
    tasks = f"{work.tasks} tasks of " if work.tasks > 1 else ""
    known = estimate.machine.region in prices.known_regions
    unknown = "" if known else "; the region is not in the list, the dearest price is taken"
    return [
        f"{estimate.minutes:.1f} minutes  {parts}",
        f"{estimate.amount:.4f} {estimate.currency}  on {tasks}{estimate.machine} in Cloud Run, "
        f"prices of {prices.date} ({prices.source}){unknown}",
        f"{work.rows} rows ({estimate.rows_from}), {work.media} media, {work.drivers} other "
        f"drivers, {work.trials} trials of {work.iterations} iterations, "
        f"{min(work.cores, work.trials)} at once, engine {work.engine}",
        f"measured on {measured_on()}; corrected by {estimate.history}",
    ]


def _values(resolved: Resolved) -> Table:
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
    return str(value).lower() if isinstance(value, bool) else visible(str(value))
