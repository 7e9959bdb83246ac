"""Do both engines find the truth? `make bench-engines` trains on the example data.

For each market and each installed engine, the result has true and estimated ROAS and contribution
share per channel, and the fit of the chosen model. The benchmark writes engines.json and engines.md
next to this file and prints the table. The exit code is 1 if a fit is below 0.9 or the engines
disagree.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from bench.machine import in_words, machine
from contract.config import Config
from contract.loading import load_config
from contract.training import Engine
from examples.generate import truth
from examples.markets import MARKETS
from examples.simulate import Simulation, simulate
from job.runtime.logs import configure
from job.runtime.machine import available_cores
from job.runtime.settings import RSide
from job.runtime.workspace import Workspace
from job.train.engine import engine_here
from job.train.holidays import holidays_table
from job.train.job_file import r_job
from job.train.process import run_r

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CONFIGS = {"DE": "de_weekly", "FR": "fr_parquet", "GB": "gb_query", "NL": "nl_daily"}
MIN_R2 = 0.9
MAX_GAP = 0.02  # the engines' mean absolute errors of contribution share may differ by two points


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markets", nargs="+", choices=sorted(MARKETS), default=["DE", "FR", "GB"])
    parser.add_argument("--engines", nargs="+", choices=["builtin", "robyn"], default=None)
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results")
    options = parser.parse_args()
    engines = options.engines or (["builtin", "robyn"] if robyn_installed() else ["builtin"])
    runs = []
    for market in options.markets:
        simulation = simulate(MARKETS[market])
        for engine in engines:
            print(f"{market}: {engine}, {options.trials} x {options.iterations} …", flush=True)
            runs.append(
                train(simulation, engine, trials=options.trials, iterations=options.iterations)
            )
    result = {
        "trials": options.trials,
        "iterations": options.iterations,
        "runs": runs,
        "verdict": verdict(runs),
        "machine": machine(),
    }
    text = in_markdown(result)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "engines.json").write_text(json.dumps(result, indent=1) + "\n")
    (options.out / "engines.md").write_text(text)
    print(text)
    print(json.dumps(result["verdict"]))
    return 0 if result["verdict"]["passed"] else 1


def robyn_installed() -> bool:
    """Return whether R finds the package Robyn."""
    return engine_here(Engine.AUTO, rscript="Rscript", r_root=ROOT / "r") == Engine.ROBYN.value


def train(simulation: Simulation, engine: str, *, trials: int, iterations: int) -> dict[str, Any]:
    """Train one market with one engine and compare the result with the truth."""
    config = market_config(simulation.market.name, engine, trials=trials, iterations=iterations)
    with tempfile.TemporaryDirectory(prefix="bench-truth-") as folder:
        began = time.monotonic()
        answer, metrics = run_market(simulation, config, Workspace(root=Path(folder)))
        seconds = time.monotonic() - began
    return {
        "market": simulation.market.name,
        "engine": answer["engine"],
        "robyn_version": answer.get("robyn_version"),
        "best_model": answer["best_model"],
        "seconds": round(seconds, 1),
        **compare(truth(simulation), metrics),
    }


def run_market(
    simulation: Simulation, config: Config, workspace: Workspace
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Train one market in a workspace; return R's answer and `metrics.json`."""
    data = simulation.data
    days = [day.date() for day in data["DATE"].iloc[[0, -1]]]
    return run_table(data, config, workspace, holidays_table(simulation.market.name, *days))


def run_table(
    data: pd.DataFrame, config: Config, workspace: Workspace, holidays: pd.DataFrame | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Train a table with its dates in the column `DATE`, as `run_market` does."""
    first, last = (str(day.date()) for day in data["DATE"].iloc[[0, -1]])
    workspace.make()
    data.to_csv(workspace.data_csv, index=False, date_format="%Y-%m-%d")
    if holidays is not None:
        holidays.to_csv(workspace.holidays_csv, index=False)
    job = r_job(
        config,
        run_id="bench",
        workspace=workspace,
        cores=available_cores(),
        holidays=holidays is not None,
        window=(first, last),
        nevergrad_python=RSide.read().nevergrad_python,
    )
    workspace.job_json.write_text(json.dumps(job))
    answer = run_r(
        workspace,
        r_root=ROOT / "r",
        rscript="Rscript",
        log=configure("console"),
        on_progress=lambda _: None,
        stop=lambda: None,
    )
    return answer, json.loads((workspace.output / "metrics.json").read_text())


def market_config(
    market: str, engine: str, *, trials: int, iterations: int, **more: dict[str, Any]
) -> Config:
    """Return the market's example config with this search, without pictures.

    `more` has additional overrides of the sections `training` and `outputs`.
    """
    path = ROOT / "examples" / "configs" / f"{CONFIGS[market]}.yaml"
    training = {
        "engine": engine,
        "trials": trials,
        "iterations": iterations,
        "adstock": "geometric",  # as in the truth
        **more.get("training", {}),
    }
    outputs = {"onepagers": 0, "allocator": [], **more.get("outputs", {})}
    overrides = {"training": training, "outputs": outputs}
    return load_config(path.read_text(), origin=path.name, overrides=overrides).config


def compare(facts: dict[str, Any], metrics: dict[str, Any]) -> dict[str, Any]:
    """Compare the chosen model's ROAS and contribution shares with the truth.

    `error_share` is the mean absolute error of the channels' contribution shares. `error_roas` is
    the mean relative error of ROAS, weighted by spend.
    """
    channels = []
    for found in metrics["channels"]:
        true = facts["channels"][found["name"]]
        channels.append(
            {
                "channel": found["name"],
                "true_roas": true["roas"],
                "roas": found["roas"],
                "true_share": facts["components"][found["name"]]["share"],
                "share": found["contribution_share"],
                "spend_share": true["spend_share"],
            }
        )
    return {
        "r2": metrics["rsq_train"],
        "nrmse": metrics["nrmse"],
        "decomp_rssd": metrics["decomp_rssd"],
        "r2_of_truth": facts["noise"]["r2_of_truth"],
        "channels": channels,
        "error_share": sum(abs(c["share"] - c["true_share"]) for c in channels) / len(channels),
        "error_roas": sum(c["spend_share"] * abs(c["roas"] / c["true_roas"] - 1) for c in channels),
    }


def verdict(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return whether every fit is at least 0.9 and the engines are equally close to the truth."""
    lowest = min(run["r2"] for run in runs)
    gap = 0.0
    for market in {run["market"] for run in runs}:
        errors = [run["error_share"] for run in runs if run["market"] == market]
        gap = max(gap, max(errors) - min(errors))
    return {
        "lowest_r2": round(lowest, 4),
        "engines": sorted({run["engine"] for run in runs}),
        "largest_difference_between_engines": round(gap, 5),
        "passed": lowest >= MIN_R2 and gap <= MAX_GAP,
    }


def in_markdown(result: dict[str, Any]) -> str:
    """Return the result as a short Markdown page."""
    lines = [
        "# Do the models find the truth?",
        "",
        f"{result['trials']} trials of {result['iterations']} iterations on the example markets,"
        " whose truth is known. The models are chosen as in every run: lowest error score among the"
        " cluster winners. DECOMP.RSSD pulls effect shares towards spend shares, so the estimates"
        " of channels with different true ROAS are too similar. Engine robyn uses Robyn's own"
        " holidays if it has them; engine builtin uses those of the library `holidays`. With one"
        " table for both, they choose the same models.",
        "",
        "| market | engine | R² | R² of the truth | mean error of share | mean error of ROAS | s |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for run in result["runs"]:
        lines.append(
            f"| {run['market']} | {engine_name(run)} | {run['r2']:.3f} | {run['r2_of_truth']:.3f} "
            f"| {run['error_share'] * 100:.1f} points | {run['error_roas']:.0%} "
            f"| {run['seconds']:.0f} |"
        )
    lines += [
        "",
        "| market | channel | true ROAS | " + _engines(result, "ROAS") + " | true share | "
        + _engines(result, "share") + " |",
        "|---|---|" + "--:|" * (2 + 2 * len(result["verdict"]["engines"])),
    ]  # fmt: skip
    for market in dict.fromkeys(run["market"] for run in result["runs"]):
        of_market = [run for run in result["runs"] if run["market"] == market]
        for index, channel in enumerate(of_market[0]["channels"]):
            found = [run["channels"][index] for run in of_market]
            cells = [market, channel["channel"], f"{channel['true_roas']:.2f}"]
            cells += [f"{each['roas']:.2f}" for each in found]
            cells += [f"{channel['true_share']:.1%}", *(f"{each['share']:.1%}" for each in found)]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"Machine: {in_words(result['machine'])}.", ""])


def engine_name(run: dict[str, Any]) -> str:
    """Name the engine, with Robyn's version if it is Robyn."""
    return f"{run['engine']} {run['robyn_version'] or ''}".strip()


def _engines(result: dict[str, Any], measure: str) -> str:
    return " | ".join(f"{engine}: {measure}" for engine in result["verdict"]["engines"])


if __name__ == "__main__":
    sys.exit(main())
