"""How often would a quiet market be held? `python -m bench.truth.weeks`.

Each market is drawn again after every new week, as a nightly run would see it, and compared with
the run that was accepted last, by `promotion`'s defaults. Nothing changes in these markets, so each
week that is held is a false alarm. Runs are also held for the verdict FAIL, which is not part of
this. Results that exist are kept. Writes weeks.jsonl and weeks.md next to this file.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import in_words, machine
from bench.truth.worlds import WORLDS, make_world
from contract.limits import Promotion
from job.posterior.draws import SWEEPS
from job.posterior.priors import Priors
from mmm.stability import changes_of, metrics_at, walk

HERE = Path(__file__).parent


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", nargs="+", choices=list(WORLDS), default=["example", "wide"])
    parser.add_argument("--seeds", type=int, default=2, help="simulations of each world")
    parser.add_argument("--first", type=int, default=200, help="the first seed")
    parser.add_argument("--weeks", type=int, default=13, help="runs of each market")
    options = parser.parse_args()
    file = HERE / "weeks.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(row["world"], row["seed"]) for row in rows}
    for seed in range(options.first, options.first + options.seeds):
        for world in options.worlds:
            if (world, seed) in done:
                continue
            found = quiet(world, seed, options.weeks)
            rows += found
            with file.open("a") as out:
                out.writelines(json.dumps(row) + "\n" for row in found)
            print(f"{world}, seed {seed}: {sum(row['held'] for row in found)} held", flush=True)
    text = in_markdown(rows)
    (HERE / "weeks.md").write_text(text)
    print(text)
    return 0


def quiet(name: str, seed: int, weeks: int) -> list[dict[str, Any]]:
    """Return a row for each run after the first: whether it is held, and the changes of ROAS."""
    market = make_world(name, seed).data
    numbers = range(market.periods - weeks, market.periods + 1)
    found = [
        metrics_at(periods, market=market, priors=Priors(), seed=123, sweeps=SWEEPS)
        for periods in numbers
    ]
    return [
        {
            "world": name,
            "seed": seed,
            "periods": periods,
            "held": bool(step.reasons),
            "changes": [round(change, 4) for change in changes_of(step).values()],
        }
        for periods, step in zip(numbers[1:], walk(found, Promotion(), measure="ROAS"), strict=True)
    ]


def in_markdown(rows: list[dict[str, Any]]) -> str:
    """Return the result as a short Markdown page."""
    lines = [
        "# How often would a quiet market be held?",
        "",
        "A run after each new week, compared with the one that was accepted last. Nothing changes "
        "in these markets, so each held run is a false alarm. *Change*: of a channel's ROAS from "
        "the accepted run, as a share of it.",
        "",
        "| world | markets | runs | held | median change | 95th percentile |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for world in [*dict.fromkeys(row["world"] for row in rows), None]:
        mine = [row for row in rows if world in (None, row["world"])]
        changes = [change for row in mine for change in row["changes"]]
        middle, high = np.percentile(changes, [50, 95])
        lines.append(
            f"| {world or 'all'} | {len({(r['world'], r['seed']) for r in mine})} | {len(mine)} "
            f"| {sum(row['held'] for row in mine)} | {middle:.1%} | {high:.1%} |"
        )
    return "\n".join([*lines, "", f"Machine: {in_words(machine())}.", ""])


if __name__ == "__main__":
    sys.exit(main())
