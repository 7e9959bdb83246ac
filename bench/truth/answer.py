"""One method's answer for one market, in a process of its own: `python -m bench.truth.answer`.

The parent measures time and memory of the process.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.truth.engines import run_table
from bench.truth.score import PERCENTILES
from bench.truth.series import Array
from bench.truth.worlds import World, make_world
from contract.loading import load_config
from job.posterior.draws import draw
from job.posterior.priors import Priors
from job.posterior.summary import summarise
from job.runtime.workspace import Workspace

FIRST_DAY = np.datetime64("2021-01-04")


def main(method: str, name: str, seed: str, out: str) -> None:
    """Write `{"percentiles": [[...] per percentile], ...}` to a file."""
    answer = {"posterior": posterior, "chosen": chosen}[method]
    Path(out).write_text(json.dumps(answer(make_world(name, int(seed)), int(seed))))


def posterior(world: World, seed: int) -> dict[str, Any]:
    """Return what every run's posterior says."""
    draws = draw(world.data, seed=seed)
    summary = summarise(draws, world.data, Priors(), seed=seed)
    paid = world.data.paid
    roas = draws.roas(world.data).reshape(-1, paid)
    return {
        "percentiles": np.percentile(roas, PERCENTILES, axis=0).tolist(),
        "identified": [channel.is_identified for channel in summary.channels[:paid]],
        "paired": [
            any(name in pair.channels for pair in summary.pairs) for name in world.data.names[:paid]
        ],
        "r_hat": [channel.r_hat for channel in summary.channels[:paid]],
        "statements": [
            [world.data.names.index(s.better), world.data.names.index(s.worse)]
            for s in summary.statements
        ],
    }


def chosen(world: World, seed: int) -> dict[str, Any]:
    """Return the ROAS of the search's chosen model, with the range of the models in its cluster.

    The engine is `builtin`, which draws the same models as Robyn.
    """
    data = world.data
    daily = data.weekday is not None
    days = FIRST_DAY + np.arange(data.periods) * (1 if daily else 7)
    table = pd.DataFrame({"DATE": pd.DatetimeIndex(days), "TARGET": data.target})
    spends = _add(table, "SPEND", data.spend)
    exposures = _add(table, "EXPOSURE", data.exposure[:, -data.periods :])
    context = _add(table, "CONTEXT", data.baseline)
    channels = [
        {"name": f"c{number}", "spend": spend}
        | ({} if table[spend].equals(table[seen]) else {"exposure": seen})
        for number, (spend, seen) in enumerate(zip(spends, exposures, strict=False))
    ]
    document = {
        "version": 1,
        "market": "BENCH",
        "revision": "r1",
        "source": {"type": "file", "path": "data.csv"},
        "date": {"column": "DATE", "frequency": "day" if daily else "week"},
        "target": {"column": "TARGET", "kind": "revenue"},
        "channels": channels,
        "organic": exposures[len(spends) :],
        "context": [name for name in context if table[name].nunique() > 1],
        "training": {
            "preset": "benchmark",
            "adstock": "geometric",
            "seed": seed,
            "prophet": ["trend", "season", *(["weekday"] if daily else [])],
        },
        "outputs": {"onepagers": 0, "allocator": [], "intervals": {"method": "cluster"}},
    }
    config = load_config(json.dumps(document), origin="bench").config
    with tempfile.TemporaryDirectory(prefix="bench-chosen-") as folder:
        _, metrics = run_table(table, config, Workspace(root=Path(folder)))
    found = {channel["name"]: channel for channel in metrics["channels"]}
    rows = []
    for percentile in PERCENTILES:
        key = {2.5: "interval_low", 5: "interval_low", 50: "roas"}.get(percentile)
        key = {95: "interval_high", 97.5: "interval_high"}.get(percentile, key)
        rows.append([None if key is None else found[f"c{c}"][key] for c in range(data.paid)])
    return {"percentiles": rows}


def _add(table: pd.DataFrame, kind: str, rows: Array) -> list[str]:
    """Add rows as columns; return their names."""
    names = [f"{kind}_{number}" for number in range(len(rows))]
    for name, row in zip(names, rows, strict=True):
        table[name] = row
    return names


if __name__ == "__main__":
    main(*sys.argv[1:])
