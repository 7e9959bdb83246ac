"""A burst: N messages, a fifth of them delivered twice, at the function and at the bare handler.

Deliveries that fail are repeated after a second, as Pub/Sub would. Both functions are served with
the same threads and get the same concurrency; the executions that Cloud Run starts do nothing.
"""

from __future__ import annotations

import random
import statistics
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.trigger.cold import CONFIG, push
from tests.fakes import eventarc, function
from tests.fakes.cloud_run import FakeCloudRun

IN_FLIGHT = 8
DUPLICATES = 0.2


def burst(
    sources: Mapping[str, Path],
    python: str,
    env: Mapping[str, str],
    folder: Path,
    service: FakeCloudRun,
    messages: int,
) -> dict[str, Any]:
    """Latencies of both, and whether every run was launched once."""
    result: dict[str, Any] = {
        "messages": messages,
        "duplicates": int(messages * DUPLICATES),
        "in_flight": IN_FLIGHT,
    }
    for name, source in sources.items():
        service.executions.clear()
        log = folder / f"load-{name}.log"
        with function.running(source, env, log=log, python=python) as served:
            result[name] = _send(served.url, messages)
        if name == "trigger":
            started = Counter(e.env["MMM_RUN_ID"] for e in service.executions.values())
            result["runs_launched"] = len(started)
            result["launched_twice"] = sum(count > 1 for count in started.values())
    result["p99_ratio"] = round(result["trigger"]["p99_ms"] / result["bare"]["p99_ms"], 2)
    result["p50_ratio"] = round(result["trigger"]["p50_ms"] / result["bare"]["p50_ms"], 2)
    return result


def _send(url: str, messages: int) -> dict[str, Any]:
    order = random.Random(1)  # noqa: S311  a fixed order, no secret
    unique = [push({"config": CONFIG}, uuid.uuid4().hex) for _ in range(messages)]
    twice = order.sample(unique, int(messages * DUPLICATES))
    deliveries = unique + twice
    order.shuffle(deliveries)
    latencies: list[float] = []
    repeated = 0

    def deliver(one: tuple[bytes, dict[str, str]]) -> int:
        failures = 0
        while True:
            began = time.perf_counter()
            status = eventarc.post(url, *one)
            latencies.append(time.perf_counter() - began)
            if status == 200:
                return failures
            failures += 1
            if failures > 100:
                raise RuntimeError(f"the function keeps answering {status}")
            time.sleep(1)

    for one in deliveries[:16]:
        deliver(one)  # clients and connections are made
    latencies.clear()
    began = time.perf_counter()
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        repeated = sum(pool.map(deliver, deliveries[16:]))
    seconds = time.perf_counter() - began
    cuts = statistics.quantiles(latencies, n=100)
    return {
        "deliveries_per_s": round(len(latencies) / seconds, 1),
        "p50_ms": round(cuts[49] * 1000, 1),
        "p99_ms": round(cuts[98] * 1000, 1),
        "repeated": repeated,
    }
