"""Measure runs under Cloud Storage's limit of one write a second of each object, and without it.

    python -m bench.limits [--rounds 5] [--many 100] [--seconds 30]

The stand-in refuses every write that follows another one of the same object within a second. Three
measurements:

- a whole run with one task, with the limit, and without it and without our waits for it,
  in turn;
- many tasks of one run, which write their steps and progress at once;
- many runs of one market, which ask for it at once.

It fails if an attempt is lost, or if a run is slower than 1.2 times with the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
import yaml

from bench.machine import ROOT, in_words, machine
from contract import runid
from contract.loading import load_config
from contract.market import take_market
from contract.request import Origin, Request, accepted_status
from contract.run import State, create_status, read_status
from contract.stores import Store, open_store
from job.attempt.status import StatusWriter
from job.runtime.progress import Lines
from job.runtime.settings import Settings
from job.runtime.trace import Trace
from tests.fakes import gcs
from tests.fakes.gcs import FakeGCS
from tests.faults.scene import CONFIG

HERE = Path(__file__).parent
MOST = 1.2
START = {
    "limited": "import sys; from job.__main__ import main; sys.exit(main())",
    "unlimited": "import sys; from contract.stores import gcs, pace; "
    "gcs.Pace = lambda: pace.Pace(0); from job.__main__ import main; sys.exit(main())",
}


def main() -> int:
    """Measure, print and write the results."""
    parser = argparse.ArgumentParser(prog="python -m bench.limits", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each kind")
    parser.add_argument("--many", type=int, default=100, help="tasks, and runs of one market")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long the tasks work")
    parser.add_argument("--out", type=Path, default=HERE)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-limits-") as folder, gcs.running() as server:
        server.create_bucket("bench")
        os.environ |= {"STORAGE_EMULATOR_HOST": server.url, "MMM_PROJECT": "p"}
        single = alone(server, Path(folder), given.rounds)
        tasks = together(server, given.many, lambda n: _task(n, given.seconds))
        market = together(server, given.many, _take)
    result = {"machine": machine(), "at": f"{datetime.now(UTC):%Y-%m-%d}", "run": single,
              "tasks": tasks, "market": market}  # fmt: skip
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    (given.out / "result.md").write_text(_report(result))
    print(_report(result))
    return int(single["ratio"] > MOST or bool(tasks["lost"]) or bool(market["lost"]))


def alone(server: FakeGCS, folder: Path, rounds: int) -> dict[str, Any]:
    """Run one config again and again, with the limit and without it in turn."""
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(CONFIG))
    seconds: dict[str, list[float]] = {"limited": [], "unlimited": []}
    refused = 0
    for number in range(rounds + 1):
        for name, url in (("limited", server.url), ("unlimited", server.unlimited_url)):
            server.limit.refused.clear()
            began = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-c", START[name], "--config", str(config), "--force"],
                env={
                    **os.environ, "STORAGE_EMULATOR_HOST": url, "MMM_BUCKET": "gs://bench",
                    "MMM_EVENTS_TOPIC": str(folder / "events.jsonl"),
                    "MMM_DATA_FOLDER": str(ROOT / "examples" / "data"),
                },
                cwd=ROOT, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                raise RuntimeError(done.stderr[-2000:])
            if number:  # the first run of each kind fills the caches
                seconds[name].append(round(time.monotonic() - began, 2))
                refused += server.limit.refused.total()
    ratios = [a / b for a, b in zip(seconds["limited"], seconds["unlimited"], strict=True)]
    return {"seconds": seconds, "ratio": round(statistics.median(ratios), 3), "refused": refused}


def together(server: FakeGCS, many: int, work: Callable[[int], str | None]) -> dict[str, Any]:
    """Let many attempts work at once, each with its own client; return what they lost."""
    server.limit.refused.clear()
    began = time.monotonic()
    with ThreadPoolExecutor(many) as pool:
        problems = [problem for problem in pool.map(work, range(many)) if problem]
    return {
        "many": many,
        "lost": problems,
        "seconds": round(time.monotonic() - began, 1),
        "refused": server.limit.refused.total(),
    }


def _task(number: int, seconds: float) -> str | None:
    """Write steps and progress of one task, as a run in training does."""
    store = open_store("gs://bench")
    request = _request("tasks", "tasks")
    create_status(store, accepted_status(request))
    settings = Settings.read(
        bucket="gs://bench", topic="t", execution="e", task_index=number, task_count=number + 1
    )
    log = structlog.get_logger()
    view = Lines(structlog.wrap_logger(structlog.ReturnLogger()))
    with structlog.testing.capture_logs() as logs:
        try:
            with StatusWriter(store, request.run_id, settings, view, log=log) as writer:
                trace = writer.trace = Trace(log=log, on_change=writer.step)
                deadline = time.monotonic() + seconds
                with trace.step("extract"), trace.step("gate"):
                    pass
                with trace.step("train"):
                    while time.monotonic() < deadline:
                        writer.progress({"type": "progress", "trial": number, "iteration": 1,
                                         "iterations": 9, "trials": 100})  # fmt: skip
                        time.sleep(0.25)
        except Exception as error:  # counted and printed: it is what the bench measures
            return f"task {number}: {error}"
    failed = [line for line in logs if line["log_level"] != "info" and "progress" in line["event"]]
    return f"task {number}: {failed[0]}" if failed else None


def _take(number: int) -> str | None:
    """Ask for the market; all but one run join its queue."""
    store = open_store("gs://bench")
    request = _request(f"run {number}", "waiting")
    create_status(store, accepted_status(request))
    try:
        take_market(store, request)
    except Exception as error:  # counted and printed: it is what the bench measures
        return f"run {number}: {error}"
    return _problem(store, request)


def _problem(store: Store, request: Request) -> str | None:
    status = read_status(store, request.run_id)
    return None if status and status.state is State.ACCEPTED else f"{request.run_id} has ended"


def _request(key: str, market: str) -> Request:
    resolved = load_config(
        yaml.safe_dump({**CONFIG, "market": market}).encode(), origin="bench", overrides={}
    )
    run_id = runid.make(key, datetime(2026, 1, 1, tzinfo=UTC))
    return Request.of(resolved, run_id=run_id, origin=Origin(via="command"), force=False)


def _report(result: dict[str, Any]) -> str:
    run, tasks, market = result["run"], result["tasks"], result["market"]
    medians = {name: statistics.median(times) for name, times in run["seconds"].items()}
    return (
        f"{in_words(result['machine'])}, {result['at']}. The stand-in of Cloud Storage takes one "
        "write a second of each object.\n\n"
        "| what | result | refused writes | lost attempts |\n|---|---|---|---|\n"
        f"| one run, {len(run['seconds']['limited'])} times each | {medians['limited']:.1f} s with "
        f"the limit, {medians['unlimited']:.1f} s without: {run['ratio']:.2f} times | "
        f"{run['refused']} | 0 |\n"
        f"| {tasks['many']} tasks of one run | {tasks['seconds']} s | {tasks['refused']} | "
        f"{len(tasks['lost'])} |\n"
        f"| {market['many']} runs that ask for one market at once | {market['seconds']} s | "
        f"{market['refused']} | {len(market['lost'])} |\n"
    )


if __name__ == "__main__":
    sys.exit(main())
