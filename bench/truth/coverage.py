"""How often do the intervals contain the truth? `python -m bench.truth.coverage`.

The benchmark trains many simulated markets, whose true ROAS and shares are known, as in every run.
It trains them once more with the true adstock and saturation, so that only penalty and regression
have to be found. It writes coverage.json and coverage.md next to this file.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.machine import in_words, machine
from bench.truth.engines import HERE, market_config, run_market
from examples.generate import truth
from examples.markets import MARKETS
from examples.simulate import Simulation, simulate
from job.runtime.workspace import Workspace

METHODS = ("cluster", "bootstrap")
SHAPES = ("searched", "known")
DRAWS = 500


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markets", nargs="+", choices=sorted(MARKETS), default=["DE", "FR", "GB"])
    parser.add_argument("--seeds", type=int, default=4, help="simulations of each market")
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results")
    options = parser.parse_args()
    figures = []
    for market in options.markets:
        for seed in range(1, options.seeds + 1):
            print(f"{market}, simulation {seed} …", flush=True)
            simulation = simulate(replace(MARKETS[market], seed=seed))
            figures += list(
                intervals(simulation, trials=options.trials, iterations=options.iterations)
            )
    result = {
        "markets": options.markets,
        "simulations": options.seeds * len(options.markets),
        "trials": options.trials,
        "iterations": options.iterations,
        "draws": DRAWS,
        "coverage": coverage(figures),
        "machine": machine(),
    }
    text = in_markdown(result)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "coverage.json").write_text(json.dumps(result, indent=1) + "\n")
    (options.out / "coverage.md").write_text(text)
    print(text)
    return 0


def intervals(simulation: Simulation, *, trials: int, iterations: int) -> Iterator[dict[str, Any]]:
    """Yield every interval of a channel with its true values, by shape and method."""
    facts = truth(simulation)
    for shape in SHAPES:
        # Both methods use the same search: the second run finds the finished trials.
        with tempfile.TemporaryDirectory(prefix="bench-coverage-") as folder:
            for method in METHODS:
                config = market_config(
                    simulation.market.name,
                    "builtin",
                    trials=trials,
                    iterations=iterations,
                    training={"hyperparameters": true_shape(simulation)}
                    if shape == "known"
                    else {},
                    outputs={"intervals": {"method": method} | draws(method)},
                )
                _, metrics = run_market(simulation, config, Workspace(root=Path(folder)))
                for channel in metrics["channels"]:
                    true = facts["channels"][channel["name"]]
                    share = facts["components"][channel["name"]]["share"]
                    yield {
                        "shape": shape,
                        "method": method,
                        "roas": ends(channel["interval_low"], channel["interval_high"]),
                        "true_roas": true["roas"],
                        "estimated_roas": channel["roas"],
                        "share": ends(
                            channel["contribution_share_low"], channel["contribution_share_high"]
                        ),
                        "true_share": share,
                    }


def draws(method: str) -> dict[str, int]:
    """Return the number of draws as a setting of the bootstrap."""
    return {"draws": DRAWS} if method == "bootstrap" else {}


def ends(low: float | None, high: float | None) -> tuple[float, float] | None:
    """Return an interval, None if there is none."""
    return None if low is None or high is None else (low, high)


def true_shape(simulation: Simulation) -> dict[str, list[float]]:
    """Fix every channel's adstock and saturation at the truth."""
    fixed = {}
    for channel in simulation.market.channels:
        column = channel.exposure_column or channel.spend_column
        fixed[f"{column}_thetas"] = [channel.theta]
        fixed[f"{column}_alphas"] = [channel.alpha]
        fixed[f"{column}_gammas"] = [channel.gamma]
    return fixed


def coverage(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Count how often the truth is inside, and how wide the intervals are relative to it."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for figure in figures:
        groups[figure["shape"], figure["method"]].append(figure)
    rows = []
    for (shape, method), group in groups.items():
        row: dict[str, Any] = {"shape": shape, "method": method}
        for name in ("roas", "share"):
            found = [(f[name], f[f"true_{name}"]) for f in group if f[name] is not None]
            inside = [low <= true <= high for (low, high), true in found]
            width = [(high - low) / true for (low, high), true in found]
            row |= {
                f"{name}_intervals": len(found),
                f"{name}_coverage": round(sum(inside) / len(inside), 3) if inside else None,
                f"{name}_width": round(sum(width) / len(width), 3) if width else None,
            }
        off = [abs(f["estimated_roas"] / f["true_roas"] - 1) for f in group]
        row["error_roas"] = round(sum(off) / len(off), 3)
        rows.append(row)
    return rows


def in_markdown(result: dict[str, Any]) -> str:
    """Return the result as a short Markdown page."""
    lines = [
        "# How often do the intervals contain the truth?",
        "",
        f"{result['simulations']} simulations of {', '.join(result['markets'])}, engine builtin, "
        f"{result['trials']} trials of {result['iterations']} iterations. The intervals are 95% "
        f"intervals; the bootstrap uses {result['draws']} refits. Coverage is the share of "
        "intervals that contain the true value. Width is relative to the true value. *Known* has "
        "the true adstock and saturation of all channels; *searched* finds them as in every run.",
        "",
        "| adstock, saturation | method | intervals | coverage of ROAS | width | coverage of share "
        "| width | mean error of ROAS |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {row['shape']} | {row['method']} | {row['roas_intervals']} "
        f"| {_percent(row['roas_coverage'])} | {_percent(row['roas_width'])} "
        f"| {_percent(row['share_coverage'])} | {_percent(row['share_width'])} "
        f"| {_percent(row['error_roas'])} |"
        for row in result["coverage"]
    ]
    return "\n".join([*lines, "", f"Machine: {in_words(result['machine'])}.", ""])


def _percent(value: float | None) -> str:
    return "none" if value is None else f"{value:.0%}"


if __name__ == "__main__":
    sys.exit(main())
