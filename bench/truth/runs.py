"""What do whole runs decide, night after night? `python -m bench.truth.runs`.

Runs of the whole pipeline (`mmm run`: extract, gate, search, posterior, verdict, promotion) train
an example market after each of its last 40 weeks, into one bucket, as a deployment does. Nothing
changes in the market, so each run that is held is a false alarm. Then the effect of one channel
falls or rises by 30% from one week on: which of the six runs that follow is the first whose
verdict says so?

Results that exist are kept. Writes runs.jsonl and runs.md next to this file.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from bench.machine import in_words, machine
from bench.truth.nights import FACTORS, NIGHTS, NOTICE
from examples.markets import MARKETS
from examples.simulate import Simulation, simulate

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CONFIG = ROOT / "examples" / "configs" / "de_weekly.yaml"
START = 20  # the night after which an effect changes
FOUND = "recent_change"


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=300, help="of the market")
    parser.add_argument("--channels", nargs="+", default=["tv", "search"], help="that change")
    options = parser.parse_args()
    file = HERE / "runs.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {row["seed"] for row in rows}
    if options.seed not in done:
        for row in nights(options.seed, options.channels):
            rows.append(row)
            with file.open("a") as out:
                out.write(json.dumps(row) + "\n")
            print(row, flush=True)
    text = in_markdown(rows)
    (HERE / "runs.md").write_text(text)
    print(text)
    return 0


def nights(seed: int, channels: list[str]) -> Iterator[dict[str, Any]]:
    """Yield a row for each run of a market, without a change and after each change."""
    simulated = simulate(replace(MARKETS["DE"], seed=seed))
    periods = len(simulated.data)
    with tempfile.TemporaryDirectory(prefix="bench-runs-") as name:
        bucket, kept = Path(name) / "bucket", Path(name) / "kept"
        for night in range(NIGHTS):
            if night == START:
                shutil.copytree(bucket, kept)
            data = simulated.data.head(periods - NIGHTS + night + 1)
            yield {"seed": seed, "change": None, "night": night, **run(data, bucket)}
        for channel in channels:
            for factor in FACTORS:
                other = Path(name) / f"{channel}-{factor}"
                shutil.copytree(kept, other)
                change = {"channel": channel, "factor": factor}
                for night in range(START, START + NOTICE):
                    data = changed(simulated, channel, factor, periods - NIGHTS + START)
                    found = run(data.head(periods - NIGHTS + night + 1), other)
                    yield {"seed": seed, "change": change, "night": night, **found}


def changed(simulated: Simulation, channel: str, factor: float, began: int) -> pd.DataFrame:
    """Return the data of a market in which a channel's effect is another one from a row on."""
    after = np.arange(len(simulated.data)) >= began
    effect = simulated.contributions[channel] * after
    return simulated.data.assign(REVENUE=simulated.data["REVENUE"] + (factor - 1) * effect)


def run(data: pd.DataFrame, bucket: Path) -> dict[str, Any]:
    """Train on the data into the bucket; return what the run decides and each channel's ROAS."""
    with tempfile.TemporaryDirectory(prefix="bench-runs-") as name:
        table, config = Path(name) / "table.csv", Path(name) / "config.yaml"
        data.to_csv(table, index=False)
        document = yaml.safe_load(CONFIG.read_text())
        document["source"] = {"type": "file", "path": str(table)}
        document["training"] |= {"preset": "test", "engine": "builtin"}
        config.write_text(yaml.safe_dump(document))
        done = subprocess.run(
            [sys.executable, "-m", "mmm", "run", str(config), "--json"],
            cwd=ROOT,
            env={**os.environ, "MMM_BUCKET": str(bucket), "MMM_EVENTS_TOPIC": f"{bucket}/e.jsonl"},
            capture_output=True,
            text=True,
            check=False,
        )
    result = json.loads(done.stdout or "{}")
    if not result.get("report_uri"):
        raise RuntimeError(f"The run has no report: {result}\n{done.stderr[-2000:]}")
    report = Path(result["report_uri"].removeprefix("file://"))
    channels = json.loads((report.parent / "metrics.json").read_text())["posterior"]["channels"]
    return {
        "state": result["state"],
        "verdict": result["verdict"]["verdict"],
        "findings": {
            finding["check"]: finding["channels"] for finding in result["verdict"]["findings"]
        },
        "held": result["held"],
        "roas": {one["name"]: round(one["roas"]["median"], 4) for one in channels if one["roas"]},
    }


def in_markdown(rows: list[dict[str, Any]]) -> str:
    """Return the result as a short Markdown page."""
    quiet = [row for row in rows if row["change"] is None]
    moves = [
        abs(now["roas"][name] / before["roas"][name] - 1)
        for before, now in itertools.pairwise(quiet)
        if before["seed"] == now["seed"]
        for name in now["roas"]
    ]
    verdicts = Counter(row["verdict"] for row in quiet)
    checks = Counter(check for row in quiet for check in row["findings"])
    lines = [
        "# What do whole runs decide?",
        "",
        f"Without a change, {len(quiet)} runs, with the shortest search (preset `test`): "
        f"{sum(row['state'] == 'HELD' for row in quiet)} are held. Verdicts: {_counts(verdicts)}. "
        f"Findings: {_counts(checks) or 'none'}. The median change of a channel's ROAS from one "
        f"night to the next is {np.median(moves):.1%}.",
        "",
        f"With a change of 30% in one channel, after night {START}:",
        "",
        "| channel | effect | first of six runs that finds it | held |",
        "|---|--:|--:|--:|",
    ]
    changes: dict[tuple[str, float], list[dict[str, Any]]] = {}
    for row in rows:
        if row["change"]:
            changes.setdefault((row["change"]["channel"], row["change"]["factor"]), []).append(row)
    for (channel, factor), mine in changes.items():
        first = next((n for n, row in enumerate(mine, 1) if FOUND in row["findings"]), "none")
        held = sum(row["state"] == "HELD" for row in mine)
        lines.append(f"| {channel} | {factor - 1:+.0%} | {first} | {held} |")
    return "\n".join([*lines, "", f"Machine: {in_words(machine())}.", ""])


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in found.most_common())


if __name__ == "__main__":
    sys.exit(main())
