"""Send N deliveries, a fifth of them duplicates, to the function and to the bare handler.

Both handlers have the same number of threads and take turns with the same deliveries in the same
order. A delivery that fails is repeated after a second, as Pub/Sub would. The executions that Cloud
Run starts do nothing. Afterwards the states of the function's runs are read from the bucket.

A burst is a closed loop: each thread has one delivery in flight, and the next one is sent when one
is answered. The machine is then saturated, so a delivery's time is mostly its wait for CPU that the
other deliveries, the stand-ins and the sender use. At a rate, deliveries arrive at random times
(Poisson), independent of earlier ones, and a delivery's time counts from its arrival.
"""

from __future__ import annotations

import math
import random
import statistics
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bench.trigger.cold import CONFIG, push
from contract.run import State, read_status
from contract.stores import Store
from tests.fakes import eventarc, function
from tests.fakes.cloud_run import FakeCloudRun
from tests.fakes.function import Function

IN_FLIGHT = 8  # the number of concurrent requests that infra/ allows one instance
DUPLICATES = 0.2
TURN = 1000
WAITING = 64  # the maximum number of deliveries in flight at a rate
Delivery = tuple[bytes, dict[str, str]]


@dataclass
class Sent:
    """A handler's results: seconds per delivery, deliveries that failed, CPU seconds."""

    latencies: list[float] = field(default_factory=list)
    repeated: int = 0
    seconds: float = 0.0
    cpu: float = 0.0

    def figures(self) -> dict[str, float]:
        """Return the results in the units of the report."""
        cuts = statistics.quantiles(self.latencies, n=100)
        count = len(self.latencies)
        return {
            "deliveries_per_s": round(count / self.seconds, 1),
            "p50_ms": round(cuts[49] * 1000, 1),
            "p99_ms": round(cuts[98] * 1000, 1),
            "cpu_ms": round(self.cpu / count * 1000, 2),
            "repeated": self.repeated,
        }


@contextmanager
def served(
    sources: Mapping[str, Path], python: str, env: Mapping[str, str], folder: Path
) -> Iterator[dict[str, Function]]:
    """Run the handlers side by side."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                function.running(
                    source, env, log=folder / f"{name}-{uuid.uuid4().hex[:6]}.log", python=python
                )
            )
            for name, source in sources.items()
        }


def measure(
    handlers: Mapping[str, Function],
    service: FakeCloudRun,
    store: Store,
    count: int,
    *,
    rate: float | None = None,
) -> dict[str, Any]:
    """Measure the latencies of all handlers, in a burst or at a rate; check the function's runs.

    `count` is the number of deliveries, `rate` the number that arrive per second.
    """
    messages = round(count * (1 - DUPLICATES))
    deliveries = _deliveries(messages, count - messages)
    sent = {name: Sent() for name in handlers}
    service.executions.clear()
    for handler in handlers.values():
        for _ in range(2 * IN_FLIGHT):  # warm-up: make clients and connections
            eventarc.post(handler.url, *push({"config": CONFIG}))
    service.executions.clear()
    turn = min(TURN, math.ceil(count / 5))
    for start in range(0, count, turn):
        for name, handler in handlers.items():
            known = len(service.executions)
            _send(handler, deliveries[start : start + turn], sent[name], rate)
            if name != "trigger":  # the baseline's executions belong to no run
                for extra in list(service.executions)[known:]:
                    del service.executions[extra]
    result: dict[str, Any] = {"deliveries": count, "messages": messages}
    if rate is not None:
        result["arrivals_per_s"] = rate
    result |= {name: one.figures() for name, one in sent.items()}
    if "bare" in sent:
        for figure in ("p50_ms", "p99_ms", "cpu_ms"):
            ratio = result["trigger"][figure] / result["bare"][figure]
            result[f"{figure.rpartition('_')[0]}_ratio"] = round(ratio, 2)
    return {**result, **_runs(service, store, messages)}


def _runs(service: FakeCloudRun, store: Store, messages: int) -> dict[str, int]:
    """Count the runs launched once, twice and never, and those with a wrong status."""
    launched: dict[str, list[str]] = {}
    for execution in service.executions.values():
        launched.setdefault(execution.env["MMM_RUN_ID"], []).append(execution.name)

    def has_right_status(run_id: str) -> bool:
        status = read_status(store, run_id)
        return (
            status is not None
            and status.state is State.LAUNCHED
            and [status.execution] == launched[run_id]
        )

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        right = sum(pool.map(has_right_status, launched))
    times = Counter(len(names) for names in launched.values())
    return {
        "launched_once": times[1],
        "launched_twice": len(launched) - times[1],
        "lost": messages - len(launched),
        "wrong_status": len(launched) - right,
    }


def _deliveries(messages: int, duplicates: int) -> list[Delivery]:
    order = random.Random(1)  # noqa: S311  a fixed order, no secret
    unique = [push({"config": CONFIG}, uuid.uuid4().hex) for _ in range(messages)]
    deliveries = unique + order.sample(unique, duplicates)
    order.shuffle(deliveries)
    return deliveries


def _send(handler: Function, deliveries: list[Delivery], sent: Sent, rate: float | None) -> None:
    def deliver(one: Delivery, due: float | None = None) -> int:
        failures = 0
        while True:
            began = due if due is not None and not failures else time.perf_counter()
            status = eventarc.post(handler.url, *one)
            sent.latencies.append(time.perf_counter() - began)
            if status == 200:
                return failures
            failures += 1
            if failures > 100:
                raise RuntimeError(f"the function keeps answering {status}")
            time.sleep(1)

    cpu, began = _cpu(handler), time.perf_counter()
    with ThreadPoolExecutor(IN_FLIGHT if rate is None else WAITING) as pool:
        if rate is None:
            sent.repeated += sum(pool.map(deliver, deliveries))
        else:
            due = _arrivals(len(deliveries), rate)
            answers = []
            for one, at in zip(deliveries, due, strict=True):
                time.sleep(max(0.0, at - time.perf_counter()))
                answers.append(pool.submit(deliver, one, at))
            sent.repeated += sum(answer.result() for answer in answers)
    sent.seconds += time.perf_counter() - began
    sent.cpu += _cpu(handler) - cpu


def _arrivals(count: int, rate: float) -> list[float]:
    """Return the arrival times of independent deliveries: the gaps are exponential."""
    order = random.Random(2)  # noqa: S311  a fixed order, no secret
    at = time.perf_counter()
    return [at := at + order.expovariate(rate) for _ in range(count)]


def _cpu(handler: Function) -> float:
    """Return the CPU seconds of all processes of a handler."""
    tree = psutil.Process(handler.process.pid)
    times = [one.cpu_times() for one in (tree, *tree.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def operations(
    calls: Callable[[], int], handler: Function, store: Store, rounds: int = 5
) -> dict[str, float]:
    """Count the store operations of one delivery, by kind of message.

    `calls` returns the number of all operations so far.
    """
    store.write("configs/de.json", b"%s" % str(CONFIG).replace("'", '"').encode())
    whole: dict[str, Any] = {"config": CONFIG}
    named: dict[str, Any] = {"config_uri": f"{store.url}/configs/de.json"}
    counted: dict[str, float] = {}
    for first in [push(whole)] * 2 + [push(named)] * 2:  # warm-up: sign in and connect
        eventarc.post(handler.url, *first)
    for what, data in (("config in the message", whole), ("config in the bucket", named)):
        for key in (False, True):
            made = [
                push(data | ({"idempotency_key": uuid.uuid4().hex} if key else {}))
                for _ in range(rounds)
            ]
            for kind in ("", ", delivered again"):
                before = calls()
                for one in made:
                    if eventarc.post(handler.url, *one) != 200:
                        raise RuntimeError("a delivery failed")
                name = f"{what}{', key of its own' if key else ''}{kind}"
                counted[name] = (calls() - before) / rounds
    return counted
