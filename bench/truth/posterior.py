"""How often do the posterior's intervals hold the truth? `python -m bench.truth.posterior`.

Each world is simulated with several seeds, and its posterior drawn as in every run. Results that
exist are kept, so that a run that was stopped goes on. Writes posterior.jsonl, posterior.json and
posterior.md next to this file.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import in_words, machine
from bench.truth.worlds import WORLDS, make_world
from job.posterior.draws import draw
from job.posterior.priors import Priors
from job.posterior.summary import summarise

HERE = Path(__file__).parent
LEVELS = (50, 80, 90, 95)


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", nargs="+", choices=list(WORLDS), default=list(WORLDS))
    parser.add_argument("--seeds", type=int, default=5, help="simulations of each world")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "posterior.jsonl"
    known = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(figure["world"], figure["seed"]) for figure in known}
    # Every world has its first seeds before any has more.
    for seed in range(options.first, options.first + options.seeds):
        for world in options.worlds:
            if (world, seed) in done:
                continue
            found = figures(world, seed)
            known += found
            with file.open("a") as out:
                out.writelines(json.dumps(figure) + "\n" for figure in found)
            print(f"{world}, seed {seed}: {found[0]['seconds']} CPU s", flush=True)
    rows = [row(world, known) for world in WORLDS if any(f["world"] == world for f in known)]
    result = {"worlds": rows, "all": row(None, known), "machine": machine()}
    (options.out / "posterior.json").write_text(json.dumps(result, indent=1) + "\n")
    text = in_markdown(result)
    (options.out / "posterior.md").write_text(text)
    print(text)
    return 0


def figures(name: str, seed: int) -> list[dict[str, Any]]:
    """Return a record per channel of a simulated world; ROAS are relative to the market's mean."""
    world, started = make_world(name, seed), time.process_time()
    draws = draw(world.data, seed=seed)
    seconds = round(time.process_time() - started, 1)
    summary = summarise(draws, world.data, Priors(), seed=seed)
    roas = draws.roas(world.data).reshape(-1, world.data.paid)
    money = world.data.spend.sum(1)
    mean = float(world.roas @ money / money.sum())
    out = []
    for channel, truth in enumerate(world.roas):
        values, inside = roas[:, channel], {}
        for level in LEVELS:
            low, high = np.percentile(values, [50 - level / 2, 50 + level / 2])
            inside[str(level)] = bool(low <= truth <= high)
        low, high = np.percentile(values, [5, 95])
        missed = max(low - truth, truth - high, 0.0)
        statements = [s for s in summary.statements if s.better == world.data.names[channel]]
        roas_of = dict(zip(world.data.names, world.roas, strict=False))
        out.append(
            {
                "world": name,
                "seed": seed,
                "channel": channel,
                "truth": round(float(truth) / mean, 4),
                "inside": inside,
                "width": round(float(high - low) / mean, 4),
                "score": round(float(high - low + 20 * missed) / mean, 4),
                "error": round(abs(float(np.median(values)) - float(truth)) / mean, 4),
                "low": round(float(low) / mean, 4),
                "chasing": channel in world.chasing,
                "identified": summary.channels[channel].is_identified,
                "r_hat": round(summary.channels[channel].r_hat, 3),
                "statements": len(statements),
                "right": sum(bool(roas_of[s.better] > roas_of[s.worse]) for s in statements),
                "seconds": seconds,
            }
        )
    return out


def row(world: str | None, figures: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the means of a world, or of all."""
    mine = [figure for figure in figures if world in (None, figure["world"])]
    statements = sum(figure["statements"] for figure in mine)
    chasing = [figure["inside"]["90"] for figure in mine if figure["chasing"]]
    return {
        "world": world or "all",
        "markets": len({(figure["world"], figure["seed"]) for figure in mine}),
        "channels": len(mine),
        **{f"inside_{level}": _mean(f["inside"][str(level)] for f in mine) for level in LEVELS},
        "width": _mean(figure["width"] for figure in mine),
        "score": _mean(figure["score"] for figure in mine),
        "error": _mean(figure["error"] for figure in mine),
        "chasing_90": _mean(chasing) if chasing else None,
        "not_identified": _mean(not figure["identified"] for figure in mine),
        "r_hat_good": _mean(figure["r_hat"] <= 1.1 for figure in mine),
        "statements": statements,
        "statements_right": (
            round(sum(figure["right"] for figure in mine) / statements, 3) if statements else None
        ),
    }


def _mean(values: Iterable[float]) -> float:
    return round(float(np.mean(list(values))), 3)


def in_markdown(result: dict[str, Any]) -> str:
    """Return the result as a short Markdown page."""
    lines = [
        "# How often do the posterior's intervals hold the truth?",
        "",
        "Simulated markets with known ROAS (`bench/truth/worlds.py`). *50 %* to *95 %*: how often "
        "an interval of that level holds the true ROAS. *Width* of the 90 % interval, *error* of "
        "the median and *score* (width plus 20 times the distance by which the truth is missed; "
        "lower is better) are relative to the market's mean ROAS. *Chasing*: the 90 % interval of "
        "the channel that follows demand which no column shows. *R-hat*: share of channels at most "
        "1.1.",
        "",
        "| world | markets | channels | 50 % | 80 % | 90 % | 95 % | width | score | error "
        "| chasing | not identified | R-hat | statements right |",
        f"|---{'|--:' * 13}|",
    ]
    lines += [_line(row) for row in (*result["worlds"], result["all"])]
    return "\n".join([*lines, "", f"Machine: {in_words(result['machine'])}.", ""])


def _line(row: dict[str, Any]) -> str:
    percents = [f"{row[f'inside_{level}']:.0%}" for level in LEVELS]
    right = row["statements_right"]
    cells: Sequence[str] = [
        row["world"],
        str(row["markets"]),
        str(row["channels"]),
        *percents,
        f"{row['width']:.2f}",
        f"{row['score']:.2f}",
        f"{row['error']:.3f}",
        "" if row["chasing_90"] is None else f"{row['chasing_90']:.0%}",
        f"{row['not_identified']:.0%}",
        f"{row['r_hat_good']:.0%}",
        "" if right is None else f"{right:.0%} of {row['statements']}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
