"""Compare all that R does in a run with unmodified Robyn: `make bench-whole`. It needs Robyn.

Both use Robyn's example data, with 5 trials of 2000 iterations. One run of the benchmark first runs
Robyn as in its own example (`robyn_inputs`, `robyn_run`, `robyn_outputs`, `robyn_write`,
`robyn_allocator`, all with their defaults). Then it runs `r/run_all.R` as the job calls it, with
engine robyn on two cores. Time is that of the whole process, R's start included. Memory is that of
the process and all processes that it starts. The benchmark writes result.json and .md. The last
line of stdout is the verdict as JSON.
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
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.whole", description=__doc__)
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of ours; the median counts")
    parser.add_argument("--cores", type=int, default=2, help="cores of ours")
    parser.add_argument("--out", type=Path, default=HERE)
    given = parser.parse_args()
    version = robyn_version()
    if not version:
        print("Robyn is not in R's library path. Install it with `make setup`.")
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
    """Run a program to its end; return its seconds and the peak memory of its process tree."""
    print("  ", *command[:3], flush=True)
    began = time.monotonic()
    # The locale sets the order of holidays, which affects prophet's last digits; use one for both.
    python = str(RSide.read().nevergrad_python)
    env = os.environ | {"RETICULATE_PYTHON": python, "TZ": "UTC", "LC_COLLATE": "C"}
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
    """Run Robyn as in its own example, and write the data for ours."""
    script = ["Rscript", str(HERE / "robyn.R")]
    timed([*script, "data", str(folder / "data.csv"), str(folder / "holidays.csv")], folder)
    own = folder / "robyn"
    own.mkdir()
    measured = timed([*script, "run", str(own), str(trials), str(iterations)], own)
    answer: dict[str, Any] = json.loads((own / "answer.json").read_text())
    return measured | answer | {"files": listing(own / "outputs")}


def run_ours(root: Path, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Run `r/run_all.R` with the job file that the job writes."""
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
    answer = json.loads(workspace.result.read_text())
    kept = {name: answer[name] for name in ("best_model", "selfcheck", "search", "warnings")}
    seconds = json.loads((workspace.output / "timings.json").read_text())
    files = listing(workspace.output)
    written = [re.fullmatch(r"RobynModel-(\w+)\.json", name) for name in files]
    winners = [found[1] for found in written if found]
    return measured | kept | {"winners": winners, "timings": seconds, "files": files}


def config(trials: int, iterations: int) -> Config:
    """Return Robyn's example as a config."""
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
    """Return the size in bytes of every file below a folder."""
    return {
        str(path.relative_to(folder)): path.stat().st_size
        for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip


def verdict(result: dict[str, Any]) -> dict[str, Any]:
    """Return the summary figures of the benchmark."""
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
    same = "the same" if figures["same_cluster_winners"] else "different"
    rounds = ", ".join(f"{seconds:.1f}" for seconds in result["ours_all_seconds"])
    lines = [
        "# The whole R side compared with Robyn", "", in_words(result["machine"]) + ".", "",
        f"Robyn {result['machine']['robyn']}, its example data, {result['trials']} trials of"
        f" {result['iterations']} iterations, seed 123.", "",
        "| | seconds | peak MB, all processes | best model | files | MB of files |",
        "|---|--:|--:|---|--:|--:|",
        _row("unmodified Robyn", robyn), _row("`r/run_all.R`, two cores", ours), "",
        f"`r/run_all.R` is {figures['speedup']} times faster, with {same} cluster winners. All its"
        f" rounds, in seconds: {rounds}. Self-check against Robyn's own code:"
        f" {figures['selfcheck']:.1e}.", "",
        "| Robyn's step | seconds | | our step | seconds |", "|---|--:|---|---|--:|",
    ]  # fmt: skip
    left = list(robyn["seconds_by_step"].items())
    right = [(step, ours["timings"][step]) for step in ("inputs", "trials", "outputs", "plots")]
    for i in range(max(len(left), len(right))):
        cells = [*(left[i] if i < len(left) else ("", "")), ""]
        cells += right[i] if i < len(right) else ("", "")
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    lines += ["", "Our files: " + ", ".join(f"`{name}`" for name in ours["files"]) + "."]
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
