"""Show what a run would do, how long it would take and what it would cost; run nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from contract import runid
from contract.damage import unless_damaged
from contract.exceptions import ConfigError
from contract.loading import Resolved, flatten
from contract.printable import short
from contract.request import stored_request
from contract.run import now
from contract.stores import Store
from contract.suggest import did_you_mean
from contract.training import Engine
from job.cost import limits
from job.cost.estimate import Estimate, make_estimate
from job.cost.history import read_history
from job.cost.machine import GIB_PER_VCPU, Machine, cpus, gibibytes, this_machine
from job.cost.memory import needed_gib
from job.cost.prices import load_prices
from job.cost.work import PERIODS_A_YEAR, expected_rows, work_of
from job.posterior.predictive import PriorExpectation
from job.runtime.machine import available_cores
from job.runtime.settings import RSide
from job.sources import planned_sql
from job.sources.annotations import Annotations
from job.sources.annotations_file import read_annotations
from job.sources.local_files import check_source
from job.train.engine import engine_here
from job.train.holidays import check_country
from mmm import prior
from mmm.runs import current_run

USUAL_YEARS = 3  # assumed if neither the config nor a past run gives the number of periods


@dataclass(frozen=True, kw_only=True)
class Change:
    """A field that differs from the config of the market's current run."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run of a config would do.

    Attributes:
        other: the estimate with the other engine, where it is not known which one the job uses;
            None if it is known.
        over: the limits of the config that the estimate exceeds, with either engine.
        by_key: whether the run id comes from an idempotency key.
        expected: what the priors say of local data.
        current: the market's current run, None if there is none.
        changes: what differs from its config.
    """

    resolved: Resolved
    sql: str
    run_id: str
    by_key: bool
    annotations: Annotations | None
    estimate: Estimate
    other: Estimate | None
    over: list[str]
    expected: PriorExpectation | None
    current: str | None
    changes: list[Change]


def plan_of(
    resolved: Resolved,
    store: Store,
    *,
    origin: str = "config",
    key: str | None = None,
    rows: int | None = None,
    cpu: str | None = None,
    memory: str | None = None,
    region: str | None = None,
    local_files: bool = True,
    is_job_machine: bool = True,
) -> Plan:
    """Return what a run of the config would do, how long it takes and what it costs.

    Local data is read, because that is free: its rows are counted. `local_files` says whether the
    config may name files of this machine. `is_job_machine` says whether this machine has what the
    job has: if not, it cannot know which engine `auto` selects, and there is an estimate of each.

    Raises:
        ConfigError: the config or an option is not valid.
        DataError: local data cannot be read.
    """
    check_source(resolved.config.source, local_files=local_files, data_folder=None)
    check_country(resolved.config)
    annotations = read_annotations(resolved.config, files=local_files)
    sql = planned_sql(resolved.config)
    machine = _machine(cpu, memory, region)
    local = prior.read_local(resolved.config)
    counted = local.rows if local else None
    estimates = [
        _estimate(
            resolved,
            store,
            machine,
            rows,
            counted,
            annotations,
            engine,
            own_cores=cpu is None and is_job_machine,
        )
        for engine in _engines(resolved.config.training.engine, is_job_machine=is_job_machine)
    ]
    problems = [limits.problems(resolved.config.limits, one) for one in estimates]
    current, changes = _changes(store, resolved)
    return Plan(
        resolved=resolved,
        sql=sql,
        run_id=runid.make(key or f"{origin}|{resolved.config.hash()}", now()),
        by_key=key is not None,
        annotations=annotations,
        estimate=estimates[0],
        other=estimates[1] if len(estimates) > 1 else None,
        over=problems[0] if all(problems) else [],
        expected=local.expected if local else None,
        current=current,
        changes=changes,
    )


def document(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON values."""
    return {
        "config": plan.resolved.config.model_dump(mode="json"),
        "origins": plan.resolved.origins,
        "config_hash": plan.resolved.config.hash(),
        "run_id": plan.run_id,
        "sql": plan.sql,
        "annotations": plan.annotations.to_json() if plan.annotations else None,
        "estimate": plan.estimate.to_json(),
        "needed_gib": round(needed_gib(plan.estimate.work), 2),
        "over_limits": plan.over,
        "prior": prior.to_json(plan.expected),
        "current": plan.current,
        "changes": [asdict(change) for change in plan.changes],
    }


def _changes(store: Store, resolved: Resolved) -> tuple[str | None, list[Change]]:
    """Return the market's current run, and the fields that differ from its config."""
    config = resolved.config
    current = current_run(store, config.revision, config.market)
    request = unless_damaged(
        lambda: stored_request(store, current) if current else None,
        None,
        then="the config is not compared with it",
    )
    if request is None:
        return current, []
    before, after = (
        dict(flatten(values)) for values in (request.config, config.model_dump(mode="json"))
    )
    return current, [
        Change(field=field, before=before.get(field), after=after.get(field))
        for field in dict.fromkeys([*before, *after])
        if before.get(field) != after.get(field)
    ]


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


def _engines(engine: Engine, *, is_job_machine: bool) -> list[str]:
    """Return the engine that the job uses, or both if only the job's machine knows."""
    if engine is Engine.AUTO and not is_job_machine:
        return [Engine.ROBYN.value, Engine.BUILTIN.value]
    r_side = RSide.read()
    return [engine_here(engine, rscript=r_side.rscript, r_root=r_side.r_root)]


def _estimate(
    resolved: Resolved,
    store: Store,
    machine: Machine,
    rows: int | None,
    counted: int | None,
    annotations: Annotations | None,
    engine: str,
    *,
    own_cores: bool,
) -> Estimate:
    config = resolved.config
    history = read_history(store, market=config.market, revision=config.revision, engine=engine)
    usual = USUAL_YEARS * PERIODS_A_YEAR[config.date.frequency]
    expected, rows_from = expected_rows(config, today=now().date(), last_run=history.rows)
    if rows is not None:
        expected, rows_from = rows, "--rows"
    elif counted is not None:
        expected, rows_from = counted, "the data"
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
