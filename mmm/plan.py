"""Show what a run would do, how long it would take and what it would cost; run nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from contract import runid
from contract.exceptions import ConfigError
from contract.loading import Resolved, flatten, load_config
from contract.printable import escape_invisible, one_line, short
from contract.run import now
from contract.stores import open_store
from contract.suggest import did_you_mean
from job.attempt.request import read_config_text
from job.cost import limits
from job.cost.estimate import Estimate, make_estimate
from job.cost.history import read_history
from job.cost.machine import GIB_PER_VCPU, Machine, cpus, gibibytes, this_machine
from job.cost.model import measured_on
from job.cost.prices import load_prices
from job.cost.work import PERIODS_A_YEAR, expected_rows, work_of
from job.runtime.machine import available_cores
from job.runtime.settings import RSide
from job.sources import planned_sql
from job.sources.annotations import Annotations
from job.sources.annotations_file import read_annotations
from job.train.engine import engine_here
from job.train.holidays import check_country
from mmm import prior

USUAL_YEARS = 3  # assumed if neither the config nor a past run gives the number of periods


def plan(
    config: str,
    *,
    overrides: Mapping[str, Any],
    key: str | None,
    bucket: str,
    rows: int | None,
    cpu: str | None,
    memory: str | None,
    region: str | None,
    as_json: bool,
) -> None:
    """Print what a run of the config would do, how long it takes and what it costs.

    Raises:
        ConfigError: the config or an option is not valid.
        LimitError: the estimate is over the config's limits; the plan is printed first.
    """
    text = read_config_text(config)
    origin = config if config.startswith("gs://") else Path(config).name
    resolved = load_config(text, origin=origin, overrides=overrides, option="--set")
    check_country(resolved.config)
    annotations = read_annotations(resolved.config)
    sql = planned_sql(resolved.config)
    machine = _machine(cpu, memory, region)
    estimate = _estimate(resolved, bucket, machine, rows, annotations, own_cores=cpu is None)
    over = limits.problems(resolved.config.limits, estimate)
    run_id = runid.make(key or f"{origin}|{resolved.config.hash()}", now())
    expected = prior.prior_of(resolved.config)
    if as_json:
        document = _document(resolved, sql, run_id, annotations, estimate, over)
        print(json.dumps({**document, "prior": prior.to_json(expected)}))
    else:
        _print(resolved, sql, run_id, annotations, estimate, by_key=key is not None)
        if expected:
            print("\nExpected before the data are seen (`posterior.priors`)")
            for line in prior.lines(expected, resolved.config):
                print(escape_invisible(line))
    limits.require(resolved.config.limits, estimate)


def _machine(cpu: str | None, memory: str | None, region: str | None) -> Machine:
    """Return this machine with the values of the options."""
    machine = this_machine()
    if cpu is not None:
        vcpus = _parsed("--cpu", cpu, cpus)
        machine = replace(machine, vcpus=vcpus, gib=vcpus * GIB_PER_VCPU)
    if memory is not None:
        machine = replace(machine, gib=_parsed("--memory", memory, gibibytes))
    known = load_prices().known_regions
    if region is not None and region not in known:
        hint = did_you_mean(region, known) or f" Allowed: {', '.join(known)}."
        raise ConfigError(f"`--region` is `{region}`, which is not in the price list.{hint}")
    return replace(machine, region=region or machine.region)


def _parsed(option: str, text: str, parse: Callable[[str], float]) -> float:
    try:
        return parse(text)
    except ValueError as error:
        raise ConfigError(f"`{option}` is `{short(text)}`; allowed: {error}") from None


def _estimate(
    resolved: Resolved,
    bucket: str,
    machine: Machine,
    rows: int | None,
    annotations: Annotations | None,
    *,
    own_cores: bool,
) -> Estimate:
    config = resolved.config
    r_side = RSide.read()
    engine = engine_here(config.training.engine, rscript=r_side.rscript, r_root=r_side.r_root)
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
        annotations=len(annotations.names) if annotations else 0,
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
        console.print("\nAnnotations", style="bold")
        for event in annotations.events:
            print(escape_invisible(f"{event.name}  {event.days()}"))
    console.print("\nSQL", style="bold")
    print(escape_invisible(sql))
    print(f"\nconfig hash  {resolved.config.hash()}")
    source = "from the idempotency key" if by_key else "the last eight digits depend on the message"
    print(f"run id       {run_id}  (if requested now; {source})")
    console.print("\nEstimate", style="bold")
    print("\n".join(_lines(estimate)))


def _lines(estimate: Estimate) -> list[str]:
    """Return the estimate as lines of text."""
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
