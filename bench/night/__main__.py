"""Simulate a night of many markets: everything but the training is the real code.

    python -m bench.night [--markets 500] [--in-one 200] [--speed 4]
                          [--running 1000] [--launches 180] [--workers 100]

Requests are pushed to the served function, which launches executions of the real job through the
Admin API. Cloud Storage takes one write a second of each object; Cloud Run has its quotas, Pub/Sub
its flow control, Snowflake its concurrency. `--speed` shortens what is only waited for: training,
statements, cold starts, back-off, deadlines and minutes of quotas. Requests between the parts and
the limit of one write a second are not shortened, so the figures are rather too large. A run looks
every 60 s whether it must stop, and renews its lease as often, instead of every 2 and 20 s: one
machine stands for hundreds.

`--workers` is how many executions this machine works on at a time. Further ones are accepted up to
the quota and count as running, but wait for the machine. The time at which all markets are trained
is then also given without these waits. What executions share, the warehouse's queue and the
bucket, still sees only as many of them at a time.

It fails unless every market was trained exactly once, and its run is SUCCEEDED and current.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from bench.machine import in_words, machine
from bench.night import job
from bench.night.job import Night
from bench.night.services import Executions, Push, Warehouse
from bench.night.storage import running
from contract import layout
from contract.open_runs import open_runs, read_ended
from contract.run import State, now, read_status
from contract.stores import open_store
from contract.topics.jsonl import FileTopic
from job.cost.prices import load_prices
from tests.fakes import cloud_run, eventarc, function
from tests.fakes.cloud_run import FakeCloudRun, Job, Quotas

HERE = Path(__file__).parent
JOB = "projects/p/locations/europe-west1/jobs/mmm-train"
TOPIC = "projects/p/topics/mmm-requests"
CPU, GIB = 4, 8
TRAINING, STATEMENT, COLD_START = 24.0, 3.0, 10.0  # seconds, measured or usual
STATEMENTS_AT_ONCE = 8  # MAX_CONCURRENCY_LEVEL
WORKERS = 100  # executions that one machine works on at a time
RUNNING, LAUNCHES = 1000, 180.0  # executions at once; calls of `:run` a minute, our assumption
LONGEST_MINUTES = 120.0
BACKOFF, FUNCTION_SECONDS, RECONCILE_SECONDS = (10.0, 600.0), 60.0, 300.0
AUTO_SUSPEND, CREDITS_AN_HOUR = 60.0, 1.0  # of a warehouse of size XS
WRITE_USD, READ_USD = 0.005 / 1000, 0.0004 / 1000  # operations of Cloud Storage
CONFIG: dict[str, Any] = {
    "version": 1,
    "market": "M",
    "revision": "r1",
    "source": {"type": "snowflake", "table": "A.B.C"},
    "date": {"column": "DATE"},
    "target": {"column": "REVENUE"},
    "channels": [{"name": "tv", "spend": "TV_COST"}],
    "training": {"trials": 5, "iterations": 2000},
    "posterior": {"enabled": False},
}


def main() -> int:
    """Simulate, check, print and write the results."""
    parser = argparse.ArgumentParser(prog="python -m bench.night", description=__doc__)
    parser.add_argument("--markets", type=int, default=500)
    parser.add_argument("--in-one", type=int, default=200, help="markets of one message")
    parser.add_argument("--speed", type=float, default=4.0)
    parser.add_argument("--running", type=int, default=RUNNING, help="executions at once")
    parser.add_argument("--launches", type=float, default=LAUNCHES, help="calls of `:run` a minute")
    parser.add_argument("--workers", type=int, default=WORKERS, help="executions at work at a time")
    parser.add_argument("--out", type=Path, default=HERE)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-night-", dir="/dev/shm") as folder:
        quotas = Quotas(running=given.running, runs_a_minute=given.launches * given.speed)
        result = simulate(
            Path(folder), given.markets, given.in_one, given.speed, quotas, workers=given.workers
        )
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    (given.out / "result.md").write_text(report(result))
    print(report(result))
    return int(bool(result["faults"]))


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What takes part in a night; times of it are `speed` times as fast."""

    speed: float
    night: Night
    executions: Executions
    service: FakeCloudRun
    push: Push
    reconcile: str
    names: list[str]

    @property
    def is_over(self) -> bool:
        """Return whether every market was trained and every execution has ended."""
        ended = all(one.done.is_set() for one in list(self.service.executions.values()))
        return ended and sum(self.night.trained.values()) >= len(self.names)


def simulate(
    folder: Path, markets: int, in_one: int, speed: float, quotas: Quotas, *, workers: int
) -> dict[str, Any]:
    """Run the night and return its figures."""
    names = [f"M{number:03d}" for number in range(markets)]
    events = FileTopic(folder / "events.jsonl")
    warehouse = Warehouse(STATEMENTS_AT_ONCE, STATEMENT / speed)
    night = Night("gs://night", str(folder / "events.jsonl"), warehouse, TRAINING / speed)
    executions = Executions(night.work, cold_start=COLD_START / speed, workers=workers)
    with ExitStack() as stack:
        storage = stack.enter_context(running(folder / "bucket"))
        service = stack.enter_context(cloud_run.running(quotas, executions))
        os.environ |= {"STORAGE_EMULATOR_HOST": storage.url, "MMM_PROJECT": "p"}
        service.deploy(Job(name="mmm-train", command=["thread"], max_retries=1))
        stack.enter_context(job.installed())
        env = {
            "MMM_BUCKET": "gs://night", "MMM_EVENTS_TOPIC": night.topic, "MMM_JOB": JOB,
            "MMM_RUN_ENDPOINT": service.url, "STORAGE_EMULATOR_HOST": storage.url,
            "MMM_PROJECT": "p",
        }  # fmt: skip
        source = function.unpack(folder)
        trigger, reconcile = (
            stack.enter_context(
                function.running(source, env, log=folder / f"{target}.log", target=target)
            )
            for target in ("on_message", "reconcile")
        )
        store = open_store("gs://night")
        store.write("configs/all.yaml", yaml.safe_dump(CONFIG).encode())
        push = Push(
            f"{trigger.url}{TOPIC}", deadline=FUNCTION_SECONDS / speed,
            backoff=(BACKOFF[0] / speed, BACKOFF[1] / speed),
        )  # fmt: skip
        _request(push, names[:in_one], names[in_one:])
        parts = Parts(
            speed=speed, night=night, executions=executions, service=service, push=push,
            reconcile=reconcile.url, names=names,
        )  # fmt: skip
        times = _play(parts)
        faults = _faults(store, night, events, names)
        given = {"in_one": in_one, "workers": workers, "faults": faults}
        return figures(parts, storage.counts(), times) | given


def _request(push: Push, together: list[str], alone: list[str]) -> None:
    """Publish one message for many markets, and one for each of the others."""
    request = {"config_uri": "gs://night/configs/all.yaml"}
    if together:
        push.publish({**request, "markets": together}, source="scheduler/many")
    for name in alone:
        push.publish({**request, "overrides": {"market": name}}, source=f"scheduler/{name}")


def _play(parts: Parts) -> dict[str, float]:
    """Deliver and reconcile until all is over; return the times in minutes of the night."""
    began = time.monotonic()
    deliver = threading.Thread(target=parts.push.deliver, daemon=True)
    deliver.start()
    every = RECONCILE_SECONDS / parts.speed
    next_pass, times = began + every, {"passes": 0.0}

    def minutes() -> float:
        return round((time.monotonic() - began) * parts.speed / 60, 1)

    while not (parts.is_over and parts.push.is_empty) and minutes() < LONGEST_MINUTES:
        if "launched" not in times and len(parts.service.executions) >= len(parts.names):
            times["launched"] = minutes()
        if "trained" not in times and parts.is_over:
            times["trained"] = minutes()
        if time.monotonic() >= next_pass:
            _reconcile(parts.reconcile)
            times["passes"] += 1
            next_pass += every
        time.sleep(0.1)
    times.setdefault("trained", minutes())
    times["alone"] = round((parts.executions.last_end - began) * parts.speed / 60, 1)
    _reconcile(parts.reconcile)
    parts.push.stop()
    deliver.join()
    return times


def figures(parts: Parts, counts: dict[str, int], times: dict[str, float]) -> dict[str, Any]:
    """Return what the night took and cost."""
    night, warehouse, speed = parts.night, parts.night.warehouse, parts.speed
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    prices = load_prices()
    run_usd = sum(
        prices.amount(own * speed + COLD_START, vcpus=CPU, gib=GIB, region="europe-west1")
        for own in night.seconds_of_attempts
    )
    awake = (warehouse.last - warehouse.first) * speed + AUTO_SUSPEND
    return {
        "machine": machine(), "at": f"{datetime.now(UTC):%Y-%m-%d}",
        "markets": len(parts.names), "speed": speed, **times, **counts,
        "running": parts.service.quotas.running,
        "launches": (parts.service.quotas.runs_a_minute or 0) / speed,
        "cpu_seconds": round(sum(u.ru_utime + u.ru_stime for u in usage)),
        "executions": len(parts.service.executions), "at_once": parts.executions.most,
        "launches_refused": parts.service.refused, "deliveries": parts.push.deliveries,
        "deliveries_failed": parts.push.failures, "window": parts.push.widest,
        "dead_letters": len(parts.push.dead), "statements": warehouse.statements,
        "longest_wait": round(parts.executions.longest_wait * speed / 60, 1),
        "longest_queue_seconds": round(warehouse.longest_wait * speed, 1),
        "warnings": sorted(set(night.problems))[:5],
        "run_usd": round(run_usd, 2),
        "storage_usd": round(counts["writes"] * WRITE_USD + counts["reads"] * READ_USD, 2),
        "credits": round(awake / 3600 * CREDITS_AN_HOUR, 2),
    }  # fmt: skip


def _reconcile(url: str) -> None:
    eventarc.post(url, b"{}", {"Content-Type": "application/json"}, timeout=300)


def _faults(store: Any, night: Night, events: FileTopic, names: list[str]) -> list[str]:
    """Return what is not as it must be, one sentence each."""
    faults = [f"{m} was trained {night.trained[m]} times" for m in names if night.trained[m] != 1]
    faults += [f"{m} was trained by two runs at once" for m in night.overlaps]
    for name in names:
        try:
            current = json.loads(store.read(layout.current("r1", name)).data)["run_id"]
        except Exception as error:  # a fault of the night, and counted as one
            faults.append(f"{name} has no current run: {error}")
            continue
        status = read_status(store, current)
        if status is None or status.state is not State.SUCCEEDED:
            faults.append(f"{name}: run {current} is {status.state if status else 'missing'}")
    left = open_runs(store, read_ended(store), at=now())
    faults += [f"run {run_id} is still open" for run_id in left]
    runs = {m["attributes"]["run_id"]: m["attributes"]["state"] for m in events.messages()}
    if list(runs.values()) != ["SUCCEEDED"] * len(names):
        faults.append(f"{len(runs)} runs have an event; expected {len(names)}, all SUCCEEDED")
    return faults


def report(result: dict[str, Any]) -> str:
    """Return the figures as a table."""
    r = result
    rows = {
        "markets": f"{r['markets']}, of which {r['in_one']} in one message",
        "measured": f"{r['at']}, {r['speed']:g} times as fast, {r['cpu_seconds']} CPU seconds",
        "all markets trained": f"{r['trained']} minutes after the first request; {r['alone']} "
        "without waits for this machine",
        "all executions launched": f"after {r.get('launched', r['trained'])} minutes",
        "executions": f"{r['executions']}, at most {r['at_once']} running at once; this machine "
        f"worked on {r['workers']} at a time, and the longest wait for it was {r['longest_wait']} "
        "minutes",
        "launches refused by quota (429)": f"{r['launches_refused']} (quotas: {r['running']} "
        f"executions at once, {r['launches']:.0f} launches a minute)",
        "deliveries": f"{r['deliveries']}, of which {r['deliveries_failed']} failed and were "
        f"repeated; dead letters: {r['dead_letters']}; widest window {r['window']:.0f}",
        "statements": f"{r['statements']}; the longest wait in the warehouse's queue was "
        f"{r['longest_queue_seconds']} s",
        "operations on objects": f"{r['writes']} writes ({r['refused']} refused and "
        f"repeated), {r['reads']} reads and lists",
        "Cloud Run": f"{r['run_usd']:.2f} USD",
        "Cloud Storage": f"{r['storage_usd']:.2f} USD",
        "Snowflake": f"{r['credits']:.2f} credits",
        "faults": "; ".join(r["faults"][:5]) or "none: every market was trained exactly once",
    }
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return f"{in_words(r['machine'])}.\n\n| what | result |\n|---|---|\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
