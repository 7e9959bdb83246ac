"""Whole runs with dated events: both engines find the effect of an event."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.runs import has_robyn

ROOT = Path(__file__).resolve().parents[2]
EFFECT = 400_000.0  # of about two millions a week
WEEKS = [
    *pd.date_range("2023-03-06", periods=8, freq="7D"),
    *pd.date_range("2024-09-02", periods=7, freq="7D"),
]
EVENTS = (
    "from,to,name,market\n2023-03-08,2023-04-26,Strike,DE\n2024-09-04,2024-10-15,Strike,\n"
    "2024-01-03,2024-01-20,Strike,FR\n"
)


def mmm(folder: Path, config: Path) -> str:
    """The last line of `mmm run`."""
    command = [sys.executable, "-m", "mmm", "run", str(config)]
    places = ["--bucket", str(folder / "bucket"), "--topic", str(folder / "events.jsonl")]
    done = subprocess.run(
        [*command, *places],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.splitlines()[-1] if done.returncode == 0 else done.stderr[-3000:]


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
@pytest.mark.parametrize("engine", ["builtin", "robyn"])
def test_the_effect_of_an_event_is_found(tmp_path: Path, engine: str) -> None:
    if engine == "robyn" and not has_robyn():
        pytest.skip("Robyn is not installed")
    data = pd.read_csv(ROOT / "examples/data/de_weekly.csv", parse_dates=["DATE"])
    data.loc[data["DATE"].isin(WEEKS), "REVENUE"] += EFFECT
    data.to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "strikes.csv").write_text(EVENTS)
    document = yaml.safe_load((ROOT / "examples/configs/de_weekly.yaml").read_text())
    document |= {
        "source": {"type": "file", "path": str(tmp_path / "data.csv")},
        "annotations": str(tmp_path / "strikes.csv"),
        "training": {
            "trials": 1, "iterations": 300, "min_candidates": 10, "engine": engine, "min_r2": -1,
            "holidays": "DE", "cores": 1,
        },
        "posterior": {"sweeps": 60},
        "outputs": {"onepagers": 0, "allocator": []},
    }  # fmt: skip
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(document))

    line = mmm(tmp_path, config)
    assert line.startswith("SUCCEEDED"), line
    artifacts = Path(line.split()[-1]).parent
    parts = pd.read_parquet(artifacts / "tables/decomposition_by_date.parquet")
    strike = parts[parts["is_best_model"] & (parts["variable"] == "Strike")].set_index("date")
    during = strike.index.isin([week.date() for week in WEEKS])
    assert len(strike) == 208
    assert during.sum() == len(WEEKS)
    contribution = strike["contribution"]
    assert contribution[~during].abs().max() < 1
    # ridge regression shrinks; the effect is the same in every week
    assert contribution[during].std() < 1
    assert 0.3 * EFFECT < contribution[during].mean() < 1.1 * EFFECT

    manifest = json.loads((artifacts / "manifest.json").read_text())
    assert manifest["data"]["annotations"]["events"] == [
        {"name": "Strike", "from": "2023-03-08", "to": "2023-04-26"},
        {"name": "Strike", "from": "2024-09-04", "to": "2024-10-15"},
    ]
    report = (artifacts / "report.html").read_text()
    assert "2023-03-08 to 2023-04-26, 2024-09-04 to 2024-10-15" in report
    if engine == "builtin":
        assert mmm(tmp_path, config).startswith("DUPLICATE")
