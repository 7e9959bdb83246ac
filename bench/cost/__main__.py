"""The time of runs: `python -m bench.cost` measures runs and fits the coefficients of `job/cost`.

    python -m bench.cost            measure, fit, write
    python -m bench.cost --fit      fit the runs of result.json again, write
    python -m bench.cost --check    predict example runs, run them, report the error

Parts are measured in CPU seconds: the time on one core of a machine without other work.
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml

from bench.cost import measure
from bench.cost.cases import CASES, CONFIGS, document
from bench.cost.fit import fit, of_search
from bench.machine import in_words, machine
from contract.loading import load_config
from contract.training import Engine
from job.cost.model import PARTS, coefficient_key, terms
from job.cost.work import Work, work_of
from job.train.engine import engine_here

HERE = Path(__file__).parent
RESULT, CHECK = HERE / "result.json", HERE / "check.json"
ROOT = HERE.parents[1]
COEFFICIENTS = ROOT / "job" / "cost" / "coefficients.json"
CHECKED = (
    ("de_weekly", "builtin", {"training": {"preset": "test"}}),
    ("fr_parquet", "robyn", {"training": {"iterations": 1500, "trials": 3}}),
    ("nl_daily", "builtin", {"training": {"iterations": 3000, "trials": 3}}),
    ("de_weekly", "robyn", {"training": {"preset": "benchmark"}}),
)


def main() -> None:
    """Measure, fit or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    engines = ["builtin", "robyn"] if _has_robyn() else ["builtin"]
    if given.check:
        _write(CHECK, {"machine": machine(), "runs": check(engines)})
        report()
        return
    result = json.loads(RESULT.read_text()) if given.fit else gather(engines)
    coefficients = fit(result)
    facts = in_words(result["machine"])
    _write(
        COEFFICIENTS,
        {"date": result["date"], "machine": facts, "coefficients": coefficients},
    )
    _write(RESULT, result)
    report()


def gather(engines: list[str]) -> dict[str, Any]:
    """Run every case with every installed engine."""
    runs = []
    for case in CASES:
        for engine in (e for e in case.engines if e in engines):
            with TemporaryDirectory() as folder:
                made = document(case, engine, Path(folder))
                runs.append({"case": case.name, **_run(made, Path(folder))})
            print(json.dumps(runs[-1]), flush=True)
    measured = {"robyn_run": of_search(), "runs": runs}
    return {"date": str(datetime.now(UTC).date()), "machine": machine(), **measured}


def check(engines: list[str]) -> list[dict[str, Any]]:
    """Run example configs that are not among the cases, to compare with their predictions."""
    runs = []
    for name, engine, changes in (one for one in CHECKED if one[1] in engines):
        made: dict[str, Any] = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())
        for section, values in changes.items():
            made[section] = {**made.get(section, {}), **values}
        made["training"] |= {"engine": engine, "cores": 1}
        with TemporaryDirectory() as folder:
            runs.append({"config": name, "changes": changes, **_run(made, Path(folder))})
        print(json.dumps(runs[-1]), flush=True)
    return runs


def _run(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    measured = measure.run(document, folder)
    manifest = measured.pop("manifest")
    config = load_config(document).config
    work = work_of(
        config, engine=manifest["engine"], rows=manifest["data"]["rows"], cores=1, tasks=1
    )
    return {"work": work.model_dump(), **measured}


def report() -> None:
    """Write result.md: how well the model fits, and how well it predicted the checked runs."""
    result = json.loads(RESULT.read_text())
    kept = json.loads(COEFFICIENTS.read_text())
    lines = [
        f"{kept['machine']}, {kept['date']}.",
        "",
        "CPU seconds of measured runs, and the fitted model's estimates of them:",
        "",
        *_head("case", "model"),
        *(_line(run["case"], run, kept) for run in result["runs"]),
    ]
    if CHECK.is_file():
        checked = json.loads(CHECK.read_text())
        lines += [
            "",
            "Runs that were not used in the fit, predicted without history and measured "
            f"({in_words(checked['machine'])}):",
            "",
            *_head("config", "predicted"),
            *(_line(_title(run), run, kept) for run in checked["runs"]),
        ]
    (HERE / "result.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def _head(first: str, estimate: str) -> list[str]:
    names = [first, "engine", *PARTS, "total", estimate, "error"]
    return [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]


def _title(run: dict[str, Any]) -> str:
    work = run["work"]
    return f"{run['config']}, {work['trials']} x {work['iterations']}"


def _line(title: str, run: dict[str, Any], kept: dict[str, Any]) -> str:
    work = Work.model_validate(run["work"])
    total = sum(run["cpu"].values())
    estimate = sum(
        float(np.dot(list(sizes.values()), [known[name] for name in sizes]))
        for part in PARTS
        if (sizes := terms(part, work))
        and (known := kept["coefficients"][coefficient_key(part, work)])
    )
    parts = " | ".join(f"{run['cpu'][part]:.1f}" for part in PARTS)
    cells = [title, work.engine, parts, f"{total:.1f}", f"{estimate:.1f}"]
    cells.append(f"{estimate / total - 1:+.0%}")
    return f"| {' | '.join(cells)} |"


def _has_robyn() -> bool:
    return engine_here(Engine.AUTO, rscript="Rscript", r_root=ROOT / "r") == Engine.ROBYN.value


def _write(path: Path, document: dict[str, Any]) -> None:
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(document, indent=1) + "\n")
    partial.replace(path)


if __name__ == "__main__":
    main()
