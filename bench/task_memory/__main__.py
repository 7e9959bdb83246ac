"""Measure the memory of whole runs, by preset and number of rows: processes and temporary files.

    python -m bench.task_memory [--cases builtin] [--out bench/task_memory]

Cloud Run keeps every written file in memory, unless a volume is mounted. Each run therefore has
its temporary files in a folder of its own, whose size counts beside the memory of its processes
(PSS, so that pages that forks share count once). The bucket is on the disk: on Cloud Run it is
elsewhere. `job/cost/memory.py` has what a run needs; the last column compares.
Cases of the engine robyn are left out where Robyn is not installed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from bench.cost.cases import ROOT, Case, document
from bench.machine import in_words, machine, robyn_version
from bench.memory import PeakMemory
from contract.config import Config
from job.cost.memory import needed_gib
from job.cost.work import Work, work_of

HERE = Path(__file__).parent
CORES = 4  # of a task, Terraform's default
PRESETS = ("test", "benchmark", "production")
CASES = (
    *(Case(name=f"weekly, {p}", training={"preset": p}, engines=("builtin",)) for p in PRESETS),
    *(
        Case(name=f"daily, {p}", market="nl_daily", training={"preset": p}, engines=("builtin",))
        for p in PRESETS
    ),
    Case(
        name="weekly, 16 media, production",
        media=16,
        training={"preset": "production"},
        engines=("builtin",),
    ),
    Case(name="weekly, benchmark", training={"preset": "benchmark"}, engines=("robyn",)),
    Case(name="weekly, production", training={"preset": "production"}, engines=("robyn",)),
)


def main() -> int:
    """Measure, print and write the results."""
    parser = argparse.ArgumentParser(prog="python -m bench.task_memory", description=__doc__)
    parser.add_argument("--cases", default="", help="only cases whose name contains this text")
    parser.add_argument("--out", type=Path, default=HERE)
    given = parser.parse_args()
    engines = ("builtin", "robyn") if robyn_version() else ("builtin",)
    results = []
    for case in CASES:
        for engine in case.engines:
            if engine in engines and given.cases in f"{case.name}, {engine},":
                results.append(measure(case, engine))
                print(json.dumps(results[-1]), flush=True)
    whole = {"machine": machine(), "at": f"{datetime.now(UTC):%Y-%m-%d}", "runs": results}
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "result.json").write_text(json.dumps(whole, indent=2) + "\n")
    (given.out / "result.md").write_text(report(whole))
    print(report(whole))
    return 0


def measure(case: Case, engine: str) -> dict[str, Any]:
    """Train the case once; return what it took at its peak, in MiB."""
    with tempfile.TemporaryDirectory() as bucket, tempfile.TemporaryDirectory() as given:
        folder = Path(given)
        made = document(replace(case, onepagers=3, scenarios=2), engine, folder)
        made["training"]["cores"] = CORES
        (folder / "tmp").mkdir()
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump(made))
        process = subprocess.Popen(
            [sys.executable, "-m", "mmm", "run", str(config)],
            cwd=ROOT,
            env={
                **os.environ, "MMM_BUCKET": bucket, "MMM_EVENTS_TOPIC": f"{bucket}/e.jsonl",
                "TMPDIR": str(folder / "tmp"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        with PeakMemory(process, files=folder / "tmp") as peak:
            said, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"{case.name}, {engine}: {said[-2000:]}")
        loaded = Config.model_validate(made)
        rows = json.loads(next(Path(bucket).rglob("manifest.json")).read_text())["data"]["rows"]
    work = work_of(loaded, engine=engine, rows=rows, cores=CORES, tasks=1)
    return {
        "case": case.name, "engine": engine, "work": work.model_dump(mode="json"),
        "mib": round(peak.mb), "files_mib": round(peak.files_mb),
    }  # fmt: skip


def report(result: dict[str, Any]) -> str:
    """Return the figures as a table."""
    lines = [
        f"{in_words(result['machine'])}, {result['at']}. {CORES} trials at once, 3 one-pagers and "
        "2 scenarios of the allocator.",
        "",
        "| case | engine | rows | media | models | at its peak | of which files | `mmm plan` |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for run in result["runs"]:
        work = Work.model_validate(run["work"])
        needed = needed_gib(work) * 1024
        lines.append(
            f"| {run['case']} | {run['engine']} | {work.rows} | {work.media} | "
            f"{work.trials * work.iterations} | {run['mib']} MiB | {run['files_mib']} MiB | "
            f"{needed:.0f} MiB ({needed / run['mib'] - 1:+.0%}) |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
