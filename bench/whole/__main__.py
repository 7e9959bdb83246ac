"""Everything that R does in a run beside Robyn as it is. `make bench-whole`; it needs Robyn.

Robyn's example data, 5 trials of 2000 iterations, in one run of the benchmark: first Robyn by its
own example (`robyn_inputs`, `robyn_run`, `robyn_outputs`, `robyn_write`, `robyn_allocator`, all
with their defaults), then `r/run_all.R` as the job calls it, engine robyn, on two cores. Time is
the whole process's, R's start included; memory is that of the process and all that it starts.
Writes result.json and .md; the last line of stdout is the verdict as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.machine import in_words, machine, robyn_version
from bench.memory import PeakMemory
from contract.config import Config
from job.runtime.settings import RSide
from job.runtime.workspace import Workspace
from job.train.job_file import r_job

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RANGES = {"alphas": [0.5, 3], "gammas": [0.3, 1], "thetas": [0, 0.5]}
EXPOSURES = {
    "tv_S": "tv_S",
    "ooh_S": "ooh_S",
    "print_S": "print_S",
    "facebook_S": "facebook_I",
    "search_S": "search_clicks_P",
}
WINDOW = ("2016-01-04", "2018-12-31")


def main() -> int:
    """Run the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.whole", description=__doc__)
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3, help="of ours; the median counts")
    parser.add_argument("--cores", type=int, default=2, help="of ours")
    parser.add_argument("--out", type=Path, default=HERE)
    given = parser.parse_args()
    version = robyn_version()
    if not version:
        print("Robyn is not installed in R's library path: there is nothing to compare with.")
        return 1
    with tempfile.TemporaryDirectory(prefix="bench-whole-") as name:
        folder = Path(name)
        robyn = run_robyn(folder, given.trials, given.iterations)
        ours = [run_ours(folder / f"ours-{i}", folder, given) for i in range(given.rounds)]
    middle = statistics.median_low(round_["seconds"] for round_ in ours)
    result = {
        "robyn": robyn,
        "ours": next(round_ for round_ in ours if round_["seconds"] == middle),
        "ours_all_seconds": [round_["seconds"] for round_ in ours],
        "trials": given.trials,
        "iterations": given.iterations,
        "machine": machine() | {"robyn": version},
    }
    result["verdict"] = verdict(result)
    (given.out / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    (given.out / "result.md").write_text(table(result))
    print(table(result))
    print(json.dumps(result["verdict"] | {"machine": in_words(result["machine"])}))
    return 0


def timed(command: list[str], cwd: Path) -> dict[str, Any]:
    """Run a program to its end; returns its seconds and the peak memory of its process tree."""
    print("  ", *command[:3], flush=True)
    began = time.monotonic()
    # The order of holidays, which prophet's last digits hang on, is the locale's: one for both.
    env = os.environ | {
        "RETICULATE_PYTHON": str(RSide.read().nevergrad_python),
        "TZ": "UTC",
        "LC_COLLATE": "C",
    }
    with (cwd / "console.log").open("w") as console:
        process = subprocess.Popen(
            command, stdout=console, stderr=subprocess.STDOUT, text=True, env=env, cwd=cwd
        )
        with PeakMemory(process) as peak:
            code = process.wait()
    if code:
        raise SystemExit(f"{command} failed:\n{(cwd / 'console.log').read_text()[-3000:]}")
    return {"seconds": round(time.monotonic() - began, 2), "peak_mb": round(peak.mb)}


def run_robyn(folder: Path, trials: int, iterations: int) -> dict[str, Any]:
    """Robyn by its own example, and the data for ours."""
    script = ["Rscript", str(HERE / "robyn.R")]
    timed([*script, "data", str(folder / "data.csv"), str(folder / "holidays.csv")], folder)
    own = folder / "robyn"
    own.mkdir()
    measured = timed([*script, "run", str(own), str(trials), str(iterations)], own)
    said = json.loads((own / "said.json").read_text())
    return measured | said | {"files": listing(own / "outputs")}


def run_ours(root: Path, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """`r/run_all.R`, given the job file that the job writes."""
    workspace = Workspace(root=root)
    workspace.make()
    workspace.data_csv.write_bytes((folder / "data.csv").read_bytes())
    workspace.holidays_csv.write_bytes((folder / "holidays.csv").read_bytes())
    job = r_job(
        config(given.trials, given.iterations), run_id="bench", workspace=workspace,
        cores=given.cores, holidays=True, window=WINDOW,
        nevergrad_python=RSide.read().nevergrad_python,
    )  # fmt: skip
    workspace.job_json.write_text(json.dumps(job))
    script = ROOT / "r" / "run_all.R"
    measured = timed(["Rscript", "--vanilla", str(script), f"job_cfg={workspace.job_json}"], root)
    said = json.loads(workspace.result.read_text())
    kept = {name: said[name] for name in ("best_model", "selfcheck", "search", "warnings")}
    seconds = json.loads((workspace.output / "timings.json").read_text())
    files = listing(workspace.output)
    written = [re.fullmatch(r"RobynModel-(\w+)\.json", name) for name in files]
    winners = [found[1] for found in written if found]
    return measured | kept | {"winners": winners, "timings": seconds, "files": files}


def config(trials: int, iterations: int) -> Config:
    """Robyn's example as a config."""
    return Config.model_validate(
        {
            "version": 1,
            "market": "DE",
            "revision": "bench",
            "source": {"type": "file", "path": "data.csv"},
            "date": {"column": "DATE", "start": WINDOW[0], "frequency": "week"},
            "target": {"column": "revenue", "kind": "revenue"},
            "channels": [
                {"name": spend.removesuffix("_S"), "spend": spend, "exposure": exposure}
                for spend, exposure in EXPOSURES.items()
            ],
            "organic": ["newsletter"],
            "context": ["competitor_sales_B"],
            "factors": ["events"],
            "training": {
                "engine": "robyn",
                "trials": trials,
                "iterations": iterations,
                "seed": 123,
                "hyperparameters": {
                    f"{media}_{kind}": bounds
                    for media in (*EXPOSURES.values(), "newsletter")
                    for kind, bounds in RANGES.items()
                },
            },
        }
    )


def listing(folder: Path) -> dict[str, int]:
    """Bytes of every file below a folder."""
    return {
        str(path.relative_to(folder)): path.stat().st_size
        for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip


def verdict(result: dict[str, Any]) -> dict[str, Any]:
    """Sum the benchmark up in the figures that are promised."""
    robyn, ours = result["robyn"], result["ours"]
    return {
        "speedup": round(robyn["seconds"] / ours["seconds"], 1),
        "seconds": ours["seconds"],
        "peak_mb": ours["peak_mb"],
        "robyn_seconds": robyn["seconds"],
        "robyn_peak_mb": robyn["peak_mb"],
        "same_best_model": robyn["best_model"] == ours["best_model"],
        "same_cluster_winners": set(robyn["winners"]) == set(ours["winners"]),
        "selfcheck": ours["selfcheck"]["largest_difference"],
    }


def table(result: dict[str, Any]) -> str:
    """Return the result as Markdown."""
    robyn, ours, figures = result["robyn"], result["ours"], result["verdict"]
    same = "the same" if figures["same_cluster_winners"] else "other"
    rounds = ", ".join(f"{seconds:.1f}" for seconds in result["ours_all_seconds"])
    lines = [
        "# The whole R side beside Robyn as it is", "", in_words(result["machine"]) + ".", "",
        f"Robyn {result['machine']['robyn']}, its example data, {result['trials']} trials of"
        f" {result['iterations']} iterations, seed 123.", "",
        "| | seconds | peak MB, all processes | best model | files | their MB |",
        "|---|--:|--:|---|--:|--:|",
        _row("Robyn as it is", robyn), _row("`r/run_all.R`, two cores", ours), "",
        f"{figures['speedup']} times faster, with {same} cluster winners. All rounds of ours, in"
        f" seconds: {rounds}. Self-check against Robyn's own code: {figures['selfcheck']:.1e}.", "",
        "| step of Robyn | seconds | | step of ours | seconds |", "|---|--:|---|---|--:|",
    ]  # fmt: skip
    left = list(robyn["seconds_by_step"].items())
    right = [(step, ours["timings"][step]) for step in ("inputs", "trials", "outputs", "plots")]
    for i in range(max(len(left), len(right))):
        cells = [*(left[i] if i < len(left) else ("", "")), ""]
        cells += right[i] if i < len(right) else ("", "")
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    lines += ["", "Files of ours: " + ", ".join(f"`{name}`" for name in ours["files"]) + "."]
    return "\n".join(lines) + "\n"


def _row(label: str, run: dict[str, Any]) -> str:
    megabytes = sum(run["files"].values()) / 2**20
    return (
        f"| {label} | {run['seconds']:.1f} | {run['peak_mb']} | {run['best_model']}"
        f" | {len(run['files'])} | {megabytes:.1f} |"
    )


def _cell(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
