"""Measure one run of `mmm run` in a separate process: its manifest and the CPU of its parts."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from bench.cost.cases import ROOT


def run(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Train with the config; return the measurements.

    `cpu` has the CPU seconds of each part: its time on one core of a machine without other work.
    `wall` has the seconds by the clock. `manifest` is the run's manifest.
    """
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(document))
    with TemporaryDirectory() as bucket:
        before, began = _children(), time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "mmm", "run", str(config)],
            cwd=ROOT,
            env={**os.environ, "MMM_BUCKET": bucket, "MMM_EVENTS_TOPIC": f"{bucket}/e.jsonl"},
            capture_output=True,
            text=True,
            check=False,
        )
        wall, cpu = time.monotonic() - began, _children() - before
        last = done.stdout.splitlines()[-1]
        if not last.startswith(("SUCCEEDED", "HELD")):  # a random table may well be held
            raise RuntimeError(f"{last}\n{done.stderr[-2000:]}")
        manifest = json.loads((Path(last.split()[-1]).parent / "manifest.json").read_text())
    timings = manifest["timings"]
    [step] = [step for step in manifest["steps"] if step["name"] == "posterior"]
    return {
        "wall": round(wall, 2),
        "cpu": parts(timings, cpu, "_cpu", posterior=step["detail"]["cpu_seconds"]),
        "clock": parts(timings, wall, "", posterior=step["seconds"]),
        "manifest": manifest,
    }


def parts(
    timings: dict[str, float], total: float, suffix: str, *, posterior: float
) -> dict[str, float]:
    """Return R's steps, the posterior, and the rest: Python, R's start, extract, report, upload."""
    inputs, trials, outputs, plots = (
        timings[f"r.{step}{suffix}"] for step in ("inputs", "trials", "outputs", "plots")
    )
    made = {
        "inputs": inputs,
        "trials": trials,
        "outputs": outputs + plots,
        "posterior": posterior,
    }
    return {
        name: round(seconds, 3)
        for name, seconds in {"rest": total - sum(made.values()), **made}.items()
    }


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
