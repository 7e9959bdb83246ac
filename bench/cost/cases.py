"""The runs that are measured; they vary one thing at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "examples" / "configs"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A run of an example market; `media` is a number of channels other than the market's own."""

    name: str
    market: str = "de_weekly"
    rows: int | None = None
    media: int | None = None
    training: dict[str, Any] = field(default_factory=dict)
    onepagers: int = 0
    scenarios: int = 0
    engines: tuple[str, ...] = ("builtin", "robyn")


def _search(iterations: int, trials: int = 1, adstock: str = "geometric") -> dict[str, Any]:
    return {"iterations": iterations, "trials": trials, "adstock": adstock}


CASES = (
    Case(name="short", training=_search(200)),
    Case(name="long", training=_search(4000)),
    Case(name="trials", training=_search(2000, trials=4)),
    Case(name="few rows", rows=104, training=_search(1000)),
    Case(name="daily", market="nl_daily", training=_search(1000)),
    Case(name="few media", media=2, training=_search(1000)),
    Case(name="many media", media=12, training=_search(1000)),
    Case(name="many media, long", media=12, training=_search(3000), engines=("builtin",)),
    Case(name="20 media, daily", market="nl_daily", media=20, training=_search(300)),
    Case(name="weibull", training=_search(1500, adstock="weibull_pdf")),
    Case(
        name="weibull, many media",
        media=12,
        training=_search(1000, adstock="weibull_cdf"),
        engines=("builtin",),
    ),
    Case(
        name="weibull, daily",
        market="nl_daily",
        training=_search(500, adstock="weibull_pdf"),
        engines=("builtin",),
    ),
    Case(name="one-pagers", training=_search(500), onepagers=4),
    Case(name="allocator", training=_search(500), scenarios=2),
    Case(name="usual", training=_search(1000, trials=2), onepagers=3, scenarios=1),
)


def document(case: Case, engine: str, folder: Path) -> dict[str, Any]:
    """Return the case's config, and write its data to the folder."""
    made: dict[str, Any] = yaml.safe_load((CONFIGS / f"{case.market}.yaml").read_text())
    made["training"] = {**made["training"], "engine": engine, "cores": 1, **case.training}
    made["outputs"] = {
        "onepagers": case.onepagers,
        "allocator": [{} for _ in range(case.scenarios)],
    }
    table = pd.read_csv(ROOT / made["source"]["path"])
    if case.rows is not None:
        table = table.tail(case.rows)
        made["date"]["start"] = str(table["DATE"].iloc[0])
    if case.media is not None:
        made["organic"] = []
        made["channels"] = made["channels"][: case.media]
        random = np.random.default_rng(1)
        for number in range(len(made["channels"]), case.media):
            table[f"MORE_{number}"] = random.gamma(4, 10_000, len(table)).round(2)
            made["channels"].append({"name": f"more{number}", "spend": f"MORE_{number}"})
    path = folder / "table.csv"
    table.to_csv(path, index=False)
    made["source"] = {"type": "file", "path": str(path)}
    return made
