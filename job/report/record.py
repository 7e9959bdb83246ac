"""The sections about the run: data and checks, config, versions and timings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from job.gate.wording import quantity
from job.report.blocks import (
    Block,
    Cell,
    CollapsedTable,
    CollapsedText,
    Heading,
    Items,
    Note,
    Section,
    Table,
    format_value,
    key_value_table,
)
from job.report.inputs import ReportInputs

_NOT_RECORDED = "not recorded"


def verdict(inputs: ReportInputs) -> Section:
    """Show every check of the result with its figure and threshold, and the run's warnings."""
    found = inputs.metrics.get("verdict")
    if not found:
        note = Note("This run has no verdict.", "missing")
        return Section("verdict", "Checks of the result", [note], is_appendix=True)
    checks = [{**finding, "outcome": finding["level"]} for finding in found["findings"]]
    blocks: list[Block] = [_check_table(checks)]
    if warnings := [str(text) for text in inputs.run.get("warnings") or []]:
        blocks += [Heading("Warnings of the run"), Items(warnings)]
    return Section("verdict", "Checks of the result", blocks, is_appendix=True)


def data(inputs: ReportInputs) -> Section:
    """Show the training data and the gate's findings."""
    facts: Mapping[str, Any] = inputs.run.get("data") or {}
    window = f"{inputs.metrics.get('window_start')}, {inputs.metrics.get('window_end')}"
    rows = {
        "Source": str(facts.get("source", _NOT_RECORDED)),
        "Rows": format_value(facts.get("rows"), "number"),
        f"First and last {inputs.period} of the extract": f"{facts.get('first_date', '?')}, "
        f"{facts.get('last_date', '?')}",
        f"First and last {inputs.period} of the modelling window": f"{window}, "
        f"{inputs.metrics.get('rows')} rows",
        "SHA-256 of the extract": str(facts.get("sha256", _NOT_RECORDED)),
    }
    roles = inputs.config.columns_by_role()
    columns = {role: ", ".join(names) for role, names in roles.items() if names}
    blocks: list[Block] = [
        key_value_table(rows),
        Heading("Columns by role"),
        key_value_table(columns),
        *_dated_events(facts.get("annotations")),
        Heading("Checks before training"),
    ]
    if inputs.quality is None:
        blocks.append(Note("The data was not checked.", "missing"))
    else:
        blocks += _checks(inputs.quality)
    sql = facts.get("sql") or []
    if sql:
        blocks.append(CollapsedText("SQL", ";\n\n".join(str(statement) for statement in sql)))
    return Section("data", "Data", blocks, is_appendix=True)


def _dated_events(annotations: Mapping[str, Any] | None) -> list[Block]:
    """List the dated events, which are factors of the model."""
    if annotations is None:
        return []
    days: dict[str, list[str]] = {}
    for event in annotations["events"]:
        single = event["from"] == event["to"]
        day = event["from"] if single else f"{event['from']} to {event['to']}"
        days.setdefault(event["name"], []).append(day)
    title = Heading(f"Dated events in {annotations['path']}")
    if not days:
        return [title, Note("The file has no events for this market.", "missing")]
    return [title, key_value_table({name: ", ".join(each) for name, each in days.items()})]


def _checks(quality: Mapping[str, Any]) -> list[Block]:
    checks = quality.get("checks") or []
    if not checks:
        return [Note("No check ran.", "missing")]
    severity = ["BLOCK", "SKIP", "WARN"]
    problems = [check for check in checks if check["outcome"] != "PASS"]
    passed = [check for check in checks if check["outcome"] == "PASS"]
    blocks: list[Block] = []
    if problems:
        problems.sort(key=lambda check: severity.index(check["outcome"]))
        blocks.append(_check_table(problems))
    else:
        unused = sum(check["sentence"].startswith("not checked") for check in passed)
        others = f"; {quantity(unused, 'other')} did not apply" if unused else ""
        blocks.append(Note(f"All {quantity(len(passed) - unused, 'check')} passed{others}."))
    if passed:
        blocks.append(
            CollapsedTable(f"Checks without a finding: {len(passed)}", _check_table(passed))
        )
    return blocks


def _check_table(checks: Sequence[Mapping[str, Any]]) -> Table:
    head = ["outcome", "check", "finding", "figure", "threshold"]
    rows = [
        [
            Cell(check["outcome"]),
            Cell(str(check["check"]).replace("_", " ")),
            Cell(check["sentence"]),
            Cell(format_value(check.get("figure"), "number"), number=True),
            Cell(format_value(check.get("threshold"), "number"), number=True),
        ]
        for check in checks
    ]
    return Table([Cell(title, index > 2) for index, title in enumerate(head)], rows)


def record(inputs: ReportInputs) -> Section:
    """Show the config, engine, versions and timings."""
    run = inputs.run
    search = {
        "Engine": inputs.engine if inputs.is_robyn else f"{inputs.engine} (not Robyn)",
        "Search": f"{run.get('search', _NOT_RECORDED)}: {run.get('trials', '?')} trials of "
        f"{_iterations(run)} iterations",
        "Seed": str(run.get("seed", _NOT_RECORDED)),
        "Parallel trials": str(run.get("cores", _NOT_RECORDED)),
        "SHA-256 of the config": str(run.get("config_hash", _NOT_RECORDED)),
        **_cost(run.get("cost") or {}),
    }
    document = yaml.safe_dump(
        inputs.config.model_dump(mode="json"), sort_keys=False, allow_unicode=True
    )
    blocks: list[Block] = [
        key_value_table(search),
        *_selfcheck(inputs),
        CollapsedText("Resolved config", document),
    ]
    blocks += _versions(run.get("versions") or {})
    timings = {str(s["name"]): s.get("seconds") for s in run.get("steps") or []}
    timings |= {
        f"R: {str(name).removeprefix('r.')}": seconds
        for name, seconds in (run.get("timings") or {}).items()
    }
    blocks.append(Heading("Timings"))
    known = {name: format_value(s, "seconds") for name, s in timings.items() if s is not None}
    blocks.append(
        key_value_table(known) if known else Note("Timings were not recorded.", "missing")
    )
    return Section("record", "Config, versions, timings", blocks, is_appendix=True)


def _iterations(run: Mapping[str, Any]) -> str:
    """Return the iterations per trial, as a range if trials ran until they converged."""
    lengths = run.get("trial_iterations") or [run.get("iterations", "?")]
    shortest, longest = min(lengths), max(lengths)
    return str(lengths[0]) if shortest == longest else f"{shortest} to {longest}"


def _cost(cost: Mapping[str, Any]) -> dict[str, str]:
    """Return the estimated time and cost, and the actual values up to this report."""
    titles = {"estimate": "Estimated time and cost", "actual": "Time and cost up to this report"}
    return {
        title: f"{facts['minutes']:.1f} minutes, {facts['amount']:.4f} {facts['currency']}"
        for key, title in titles.items()
        if (facts := cost.get(key))
    }


def _versions(versions: Mapping[str, Any]) -> list[Block]:
    """List single versions in a table, and each group of packages in a collapsed element."""
    if not versions:
        return [Heading("Versions"), Note("Versions were not recorded.", "missing")]
    single = {name: v for name, v in versions.items() if not isinstance(v, Mapping)}
    blocks: list[Block] = [Heading("Versions"), key_value_table(dict(_flat(single)))]
    for name, group in versions.items():
        if isinstance(group, Mapping) and group:
            lines = "\n".join(f"{package} {version}" for package, version in group.items())
            blocks.append(CollapsedText(name.replace("_", " "), lines))
    return blocks


def _selfcheck(inputs: ReportInputs) -> list[Block]:
    """Show the comparison of the search's models with Robyn's recomputation."""
    if not inputs.is_robyn:
        text = "No self-check: Robyn is not installed, so it did not recompute the models."
        return [Note(text, "missing")]
    selfcheck = inputs.run.get("selfcheck")
    if not selfcheck:
        return [Note("No self-check was recorded.", "missing")]
    heading = Heading("Self-check: models recomputed by Robyn's own code")
    return [heading, key_value_table(dict(_flat(selfcheck)))]


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Flatten nested mappings, e.g. `r_packages: {glmnet: 4.1}` becomes `r packages: glmnet`."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            rows += _flat(value, f"{key}: ")
        elif value is not None:
            rows.append((name, _value(value)))
    return rows


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return format_value(value, "number")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
