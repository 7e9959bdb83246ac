"""The open bench: how near does each method come to a ROAS that is known? `make bench-truth`.

Every method answers for every world and seed. Answers that exist are kept, so that a run that was
stopped goes on. Writes roas.jsonl (one line per channel), roas.json, roas.md and roas.svg next to
this file. Methods whose environment is missing are left out, and named.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from bench.machine import machine
from bench.truth.methods import METHODS, ask
from bench.truth.page import chart, in_markdown
from bench.truth.score import figures, row
from bench.truth.worlds import WORLDS, make_world

HERE = Path(__file__).parent


def main() -> int:
    """Run the bench; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--worlds", nargs="+", choices=list(WORLDS), default=list(WORLDS))
    parser.add_argument("--seeds", type=int, default=2, help="simulations of each world")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "roas.jsonl"
    records = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(record["method"], record["world"], record["seed"]) for record in records}
    failed = 0
    # Every world has its first seeds before any has more.
    for method in options.methods:
        if not METHODS[method].python.exists():
            print(f"{METHODS[method].title} is left out: {METHODS[method].python} is missing")
            continue
        for seed in range(options.first, options.first + options.seeds):
            for world in options.worlds:
                if (method, world, seed) in done:
                    continue
                try:
                    found = answered(method, world, seed)
                except RuntimeError as error:
                    failed += 1
                    print(f"{method}, {world}, seed {seed}: {error}", file=sys.stderr, flush=True)
                    continue
                records += found
                with file.open("a") as out:
                    out.writelines(json.dumps(record) + "\n" for record in found)
                print(
                    f"{method}, {world}, seed {seed}: {found[0]['cpu_seconds']} CPU s", flush=True
                )
    write(options.out, records)
    return 1 if failed else 0


def answered(method: str, name: str, seed: int) -> list[dict[str, Any]]:
    """Ask one method about one market; return a record per channel."""
    answer = ask(method, name, seed)
    used = {key: answer[key] for key in ("cpu_seconds", "memory_gb", "cents")}
    known = {"method": method, "world": name, "seed": seed}
    return [known | record | used for record in figures(make_world(name, seed), answer)]


def write(folder: Path, records: list[dict[str, Any]]) -> None:
    """Write the tables and the chart of all records."""
    tables: dict[str, Any] = {}
    for method in METHODS:
        mine = [record for record in records if record["method"] == method]
        if mine:
            worlds = {w: [r for r in mine if r["world"] == w] for w in WORLDS}
            tables[method] = {
                "worlds": {world: row(some) for world, some in worlds.items() if some},
                "all": row(mine),
            }
    result = {"methods": tables, "machine": machine()}
    (folder / "roas.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "roas.svg").write_text(chart(result))
    text = in_markdown(result, records)
    (folder / "roas.md").write_text(text)
    print(text)


if __name__ == "__main__":
    sys.exit(main())
