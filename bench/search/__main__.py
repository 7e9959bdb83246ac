"""Compare our search with `robyn_run`: `make bench-search`. R needs Robyn in its library path.

The data, seed, trials and iterations are the same. One run of the benchmark measures, one after the
other: `robyn_run` with one core, `robyn_run` with all cores, our search with one process and with
two. It compares all models of both, number by number. Then it measures Weibull adstock,
calibration, daily data and 10,000 iterations. It writes result.json, .md and .svg. The last line of
stdout is the verdict as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.machine import in_words, machine, robyn_version
from bench.search.plot import plot
from job.runtime.settings import RSide

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CORES = len(os.sched_getaffinity(0))
# Case -> iterations of robyn_run: enough to measure a rate, because each takes 0.1 to 5 seconds.
OTHER_CASES = {"weibull_pdf": 60, "weibull_cdf": 60, "calibration": 60, "daily": 20}
LONG = 10_000


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=__doc__)
    parser.add_argument("--trials", type=int, default=2)
    parser.add_argument("--iterations", type=int, default=2000)
    parser.add_argument("--robyn-trials", type=int, help="trials of robyn_run; time is scaled")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of ours; the median counts")
    parser.add_argument("--only-main", action="store_true", help="skip the other cases")
    parser.add_argument("--out", type=Path, default=HERE)
    given = parser.parse_args()
    if not robyn_version():
        print("Robyn is not in R's library path. Install it with `make setup`.")
        return 1
    with tempfile.TemporaryDirectory(prefix="bench-search-") as folder:
        bench = Bench(Path(folder))
        result: dict[str, Any] = {"main": main_case(bench, given)}
        if not given.only_main:
            result["cases"] = [other_case(bench, *case) for case in OTHER_CASES.items()]
            result["long"] = long_case(bench)
    result |= {"verdict": verdict(result), "machine": machine() | {"robyn": robyn_version()}}
    (given.out / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    (given.out / "result.md").write_text(table(result))
    (given.out / "result.svg").write_text(plot(result))
    print(table(result))
    print(json.dumps(result["verdict"] | {"machine": in_words(result["machine"])}))
    return 0


class Bench:
    """Run the R processes of the benchmark in one folder."""

    def __init__(self, folder: Path) -> None:
        """Work in `folder`."""
        self.folder = folder

    def path(self, name: str) -> Path:
        """Return the path of a file of the benchmark."""
        return self.folder / f"{name}.rds"

    def r(self, *arguments: object) -> dict[str, Any]:
        """Run a step of run.R; return the JSON of its last line."""
        print("  ", *arguments[:2], *arguments[3:], flush=True)
        env = os.environ | {"RETICULATE_PYTHON": str(RSide.read().nevergrad_python), "TZ": "UTC"}
        done = subprocess.run(
            ["Rscript", HERE / "run.R", *map(str, arguments)],
            check=False, capture_output=True, text=True, env=env, cwd=self.folder,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"run.R {arguments} failed:\n{done.stderr[-3000:]}")
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return answer

    def inputs(self, case: str) -> Path:
        """Make a case's inputs once."""
        path = self.path(f"inputs-{case}")
        if not path.exists():
            self.r("inputs", case, path)
        return path

    def run(self, search: str, case: str, name: str, *, trials: int, iterations: int,
            cores: int = 1, workers: int = 1, rounds: int = 1) -> dict[str, Any]:  # fmt: skip
        """Time a search `rounds` times; return the round of median time."""
        numbers = (trials, iterations, cores, workers)
        path = self.path(name)
        measured = [self.r(search, self.inputs(case), path, *numbers) for _ in range(rounds)]
        middle = statistics.median_low(m["seconds"] for m in measured)
        chosen = next(m for m in measured if m["seconds"] == middle)
        return chosen | {"trials": trials, "iterations": iterations, "cores": cores,
                         "workers": workers}  # fmt: skip

    def compare(self, theirs: str, ours: str) -> dict[str, Any]:
        """Compare the models of two searches."""
        return self.r("compare", self.path(theirs), self.path(ours))


def main_case(bench: Bench, given: argparse.Namespace) -> dict[str, Any]:
    """Run both searches on Robyn's example data, on one core and on all cores."""
    its, trials = given.iterations, given.trials
    robyn_trials = given.robyn_trials or trials
    result = {
        "robyn_one_core": bench.run(
            "robyn", "geometric", "robyn1", trials=robyn_trials, iterations=its
        ),
        "robyn_all_cores": bench.run(
            "robyn", "geometric", "robynall", trials=robyn_trials, iterations=its, cores=CORES
        ),
        "ours_one_process": bench.run(
            "ours", "geometric", "ours1", trials=trials, iterations=its, rounds=given.rounds
        ),
        "ours_two_processes": bench.run(
            "ours", "geometric", "ours2", trials=trials, iterations=its, cores=2,
            rounds=given.rounds,
        ),
    }  # fmt: skip
    bench.run("ours", "geometric", "oursall", trials=robyn_trials, iterations=its, workers=CORES)
    result["same_as_one_core"] = bench.compare("robyn1", "ours2")
    result["same_as_all_cores"] = bench.compare("robynall", "oursall")
    return result


def other_case(bench: Bench, case: str, iterations: int) -> dict[str, Any]:
    """Return milliseconds per iteration, and the difference of the models, of another case."""
    robyn = bench.run("robyn", case, "robyn", trials=1, iterations=iterations)
    bench.run("ours", case, "ours", trials=1, iterations=iterations)
    compared = bench.compare("robyn", "ours")
    ours = bench.run("ours", case, "ours", trials=1, iterations=500)
    return {"case": case, "robyn": robyn, "ours": ours, "same": compared}


def long_case(bench: Bench) -> dict[str, Any]:
    """Run 10,000 iterations, to see whether later iterations take longer."""
    return bench.run("ours", "geometric", "long", trials=1, iterations=LONG)


def verdict(result: dict[str, Any]) -> dict[str, Any]:
    """Return the summary figures of the benchmark."""
    main = result["main"]
    seconds = {
        name: main[name]["seconds"] / main[name]["trials"]
        for name in main if not name.startswith("same")
    }  # fmt: skip
    compared = [main["same_as_one_core"], main["same_as_all_cores"]]
    compared += [case["same"] for case in result.get("cases", [])]
    best = min(seconds["robyn_one_core"], seconds["robyn_all_cores"])
    figures: dict[str, Any] = {
        "speedup_per_core": round(seconds["robyn_one_core"] / seconds["ours_one_process"], 1),
        "speedup_two_processes": round(best / seconds["ours_two_processes"], 1),
        "max_relative_difference": max(c["largest_relative"] for c in compared),
        "models_compared": sum(c["models"] for c in compared),
        "iterations": main["ours_one_process"]["iterations"],
        "trials": main["ours_one_process"]["trials"],
        "robyn_trials": main["robyn_one_core"]["trials"],
    }
    if "long" in result:
        blocks = result["long"]["ms_by_1000"]
        first, last = statistics.median(blocks[:3]), statistics.median(blocks[-3:])
        figures["growth_over_10000_iterations"] = round(last / first, 3)
    return figures


def table(result: dict[str, Any]) -> str:
    """Return the result as Markdown."""
    main, figures = result["main"], result["verdict"]
    lines = [
        "# The search compared with robyn_run", "", in_words(result["machine"]) + ".", "",
        f"Robyn {result['machine']['robyn']}, its example data, seed 123,"
        f" {figures['iterations']} iterations per trial. Time is the wall time of `robyn_run()` and"
        " of `run_trials()`, per trial.", "",
        "| search | trials run | seconds per trial | CPU seconds per trial | ms per iteration"
        " | main process, peak MB |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    labels = {
        "robyn_one_core": "robyn_run(cores = 1)", "robyn_all_cores": "robyn_run(cores = all)",
        "ours_one_process": "ours, one process", "ours_two_processes": "ours, two processes",
    }  # fmt: skip
    for name, label in labels.items():
        row = main[name]
        per_trial = row["seconds"] / row["trials"]
        cpu_per_trial = row["cpu_seconds"] / row["trials"]
        lines.append(
            f"| {label} | {row['trials']} | {per_trial:.2f} | {cpu_per_trial:.2f}"
            f" | {1000 * per_trial / row['iterations']:.2f} | {row['peak_mb']:.0f} |"
        )
    lines += [
        "", f"- {figures['speedup_per_core']} times faster on one core;"
        f" {figures['speedup_two_processes']} times faster with two processes, compared with the"
        " faster of Robyn's two.",
        f"- Largest relative difference of any number of {figures['models_compared']} models:"
        f" {figures['max_relative_difference']:.1e}.",
    ]  # fmt: skip
    if "cases" in result:
        lines += [
            "", "| case | robyn_run(cores = 1), ms per iteration | ours | ratio | difference |",
            "|---|---|---|---|---|",
        ]  # fmt: skip
        for case in result["cases"]:
            robyn, ours = case["robyn"]["loop_ms"], case["ours"]["loop_ms"]
            lines.append(
                f"| {case['case']} | {robyn:.1f} | {ours:.2f} | {robyn / ours:.0f} |"
                f" {case['same']['largest_relative']:.1e} |"
            )
    if "long" in result:
        blocks = ", ".join(f"{ms:.2f}" for ms in result["long"]["ms_by_1000"])
        lines += ["", f"Ms per iteration, by thousands, over {LONG} iterations: {blocks}."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
