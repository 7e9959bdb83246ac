"""N deliveries, a fifth of them doubles of others, at the function and at the bare handler.

Both are served with the same threads, get the same deliveries in the same order by turns, and are
repeated after a second where they fail, as Pub/Sub would. The executions that Cloud Run starts do
nothing. What became of the function's runs is read from the bucket afterwards.

A burst is a closed loop: as many deliveries are under way as there are threads, the next is sent
when one is answered. The machine is then saturated, and a delivery's time is mostly its wait for
CPU that the others, the stand-ins and the sender use. At a rate, deliveries arrive at random times
(Poisson), whatever becomes of those before, and a delivery's time counts from its arrival.
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

IN_FLIGHT = 8  # as many as infra/ lets one instance take
DUPLICATES = 0.2
TURN = 1000
WAITING = 64  # deliveries that may be under way at a rate
Delivery = tuple[bytes, dict[str, str]]


@dataclass
class Sent:
    """What a handler answered: seconds per delivery, deliveries that failed, its CPU seconds."""

    latencies: list[float] = field(default_factory=list)
    repeated: int = 0
    seconds: float = 0.0
    cpu: float = 0.0

    def figures(self) -> dict[str, float]:
        """In the units of the report."""
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
    """The handlers, side by side."""
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
    """Latencies of all handlers, in a burst or at a rate, and what became of the function's runs.

    `count` is the number of deliveries, `rate` how many arrive in a second.
    """
    messages = round(count * (1 - DUPLICATES))
    deliveries = _deliveries(messages, count - messages)
    sent = {name: Sent() for name in handlers}
    service.executions.clear()
    for handler in handlers.values():
        for _ in range(2 * IN_FLIGHT):  # clients and connections are made
            eventarc.post(handler.url, *push({"config": CONFIG}))
    service.executions.clear()
    turn = min(TURN, math.ceil(count / 5))
    for start in range(0, count, turn):
        for name, handler in handlers.items():
            known = len(service.executions)
            _send(handler, deliveries[start : start + turn], sent[name], rate)
            if name != "trigger":  # the yardstick's executions are nobody's run
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
    """How many runs were launched once, twice or never, and whose status does not say so."""
    launched: dict[str, list[str]] = {}
    for execution in service.executions.values():
        launched.setdefault(execution.env["MMM_RUN_ID"], []).append(execution.name)

    def told(run_id: str) -> bool:
        status = read_status(store, run_id)
        return (
            status is not None
            and status.state is State.LAUNCHED
            and [status.execution] == launched[run_id]
        )

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        right = sum(pool.map(told, launched))
    times = Counter(len(names) for names in launched.values())
    return {
        "launched_once": times[1],
        "launched_twice": len(launched) - times[1],
        "lost": messages - len(launched),
        "wrong_status": len(launched) - right,
    }


def _deliveries(messages: int, doubles: int) -> list[Delivery]:
    order = random.Random(1)  # noqa: S311  a fixed order, no secret
    unique = [push({"config": CONFIG}, uuid.uuid4().hex) for _ in range(messages)]
    deliveries = unique + order.sample(unique, doubles)
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
    """When deliveries come that know nothing of each other: the gaps are exponential."""
    order = random.Random(2)  # noqa: S311  a fixed order, no secret
    at = time.perf_counter()
    return [at := at + order.expovariate(rate) for _ in range(count)]


def _cpu(handler: Function) -> float:
    """CPU seconds of all processes of a handler."""
    tree = psutil.Process(handler.process.pid)
    times = [one.cpu_times() for one in (tree, *tree.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def operations(
    calls: Callable[[], int], handler: Function, store: Store, rounds: int = 5
) -> dict[str, float]:
    """Store operations of one delivery, by what the message holds; `calls` counts them all."""
    store.write("configs/de.json", b"%s" % str(CONFIG).replace("'", '"').encode())
    whole: dict[str, Any] = {"config": CONFIG}
    named: dict[str, Any] = {"config_uri": f"{store.url}/configs/de.json"}
    counted: dict[str, float] = {}
    for first in [push(whole)] * 2 + [push(named)] * 2:  # the client signs in and connects
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
