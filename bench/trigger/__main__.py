"""`python -m bench.trigger`: cold start, memory, and deliveries of which a fifth are duplicates.

Deliveries arrive in a burst and at a rate. The stand-ins first answer at once, so that only CPU
time counts. Then they have the service times assumed below, the same for both handlers. In a last
burst, Cloud Run answers 429 to some of the calls.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.machine import in_words, machine
from bench.trigger import bare, cold, load
from bench.trigger.slow import slowed
from contract.stores import Store, open_store
from tests.environments import environment
from tests.fakes import cloud_run, function, gcs
from tests.fakes.cloud_run import FakeCloudRun, Job
from tests.fakes.gcs import FakeGCS
from tests.fakes.proxy import Call, Fault, Kind, Proxy

HERE = Path(__file__).parent
STORAGE_SECONDS = 0.03
RUN_SECONDS = 0.3
REFUSED = 0.3
RATE = 20.0  # deliveries per second; a burst has a rate many times higher
SLOW_RATE = 8.0  # with service times; eight threads can handle 25
JOB = "projects/p/locations/l/jobs/mmm-trainer"


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The stand-ins, the sources of the two handlers and the interpreter that serves them."""

    storage: FakeGCS
    service: FakeCloudRun
    store: Store
    folder: Path
    sources: dict[str, Path]
    python: str

    @property
    def own(self) -> dict[str, Path]:
        """The source of the function alone."""
        return {"trigger": self.sources["trigger"]}

    def env(self, *, storage: str | None = None, service: str | None = None) -> dict[str, str]:
        """Return the handlers' environment; the arguments replace the stand-ins' addresses."""
        return {
            "MMM_BUCKET": "gs://bench",
            "MMM_EVENTS_TOPIC": str(self.folder / "events.jsonl"),
            "MMM_JOB": JOB,
            "MMM_RUN_ENDPOINT": service or self.service.url,
            "MMM_PROJECT": "p",
            "STORAGE_EMULATOR_HOST": storage or self.storage.unlimited_url,
            "PATH": os.environ["PATH"],
        }


def main() -> int:
    """Measure, print and write the results; return 1 if a run was lost or launched twice."""
    parser = argparse.ArgumentParser(prog="python -m bench.trigger", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="number of cold starts")
    parser.add_argument("--only-load", action="store_true", help="skip the cold starts")
    parser.add_argument("--load", type=int, default=10_000, metavar="N", help="deliveries")
    parser.add_argument("--out", type=Path, default=HERE)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with ground() as on:
        if not given.only_load:
            write(given.out, "cold", {"rounds": given.rounds, **cold_starts(on, given.rounds)})
        result = loads(on, given.load)
        write(given.out, "load", result)
    passes = [one for one in result.values() if isinstance(one, dict) and "lost" in one]
    return int(any(one["lost"] or one["launched_twice"] or one["wrong_status"] for one in passes))


@contextmanager
def ground() -> Iterator[Ground]:
    """Start the stand-ins; the bucket's objects are in a memory file system if there is one."""
    shared = "/dev/shm"  # noqa: S108  a new folder is made in it
    with (
        tempfile.TemporaryDirectory(prefix="bench-trigger-") as temporary,
        tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as objects,
        gcs.running(Path(objects)) as storage,
        cloud_run.running() as service,
    ):
        folder = Path(temporary)
        service.deploy(Job(name="mmm-trainer", command=()))
        storage.create_bucket("bench")
        os.environ |= {"STORAGE_EMULATOR_HOST": storage.unlimited_url, "MMM_PROJECT": "p"}
        source = function.unpack(folder)
        baseline = folder / "bare"
        baseline.mkdir()
        (baseline / "main.py").write_text(bare.MAIN)
        with environment(folder, source / "requirements.txt") as packages:
            yield Ground(
                storage=storage,
                service=service,
                store=open_store("gs://bench"),
                folder=folder,
                sources={"bare": baseline, "trigger": source},
                python=packages.python,
            )


def cold_starts(on: Ground, rounds: int) -> dict[str, Any]:
    """Measure import, first answer and memory of both handlers."""
    result: dict[str, Any] = {
        "archive_kb": round((on.folder / "trigger.zip").stat().st_size / 1024, 1),
        "trigger": cold.imports(on.sources["trigger"], on.python, on.env(), rounds),
    }
    served = cold.serve_rounds(on.sources, on.python, on.env(), on.folder, rounds)
    for name, figures in served.items():
        result.setdefault(name, {}).update(figures)
    return result


def loads(on: Ground, deliveries: int) -> dict[str, Any]:
    """Count store operations; measure bursts, and deliveries at rates far below the limit."""
    result: dict[str, Any] = {"in_flight": load.IN_FLIGHT, "duplicates": load.DUPLICATES}
    with (
        Proxy(on.storage.unlimited_url).running() as proxy,
        load.served(on.own, on.python, on.env(storage=proxy.url), on.folder) as handlers,
    ):
        result["store_operations"] = load.operations(
            lambda: len(proxy.calls), handlers["trigger"], on.store
        )

    with load.served(on.sources, on.python, on.env(), on.folder) as handlers:
        measure = partial(load.measure, handlers, on.service, on.store)
        result["answers_at_once, at_a_rate"] = measure(deliveries // 10, rate=RATE)
        result["answers_at_once, burst"] = measure(deliveries)

    with (
        slowed(on.storage.port, STORAGE_SECONDS) as storage,
        slowed(on.service.port, RUN_SECONDS) as service,
        load.served(
            on.sources, on.python, on.env(storage=storage, service=service), on.folder
        ) as handlers,
    ):
        times = {"storage_ms": STORAGE_SECONDS * 1000, "run_job_ms": RUN_SECONDS * 1000}
        measure = partial(load.measure, handlers, on.service, on.store)
        result["assumed_service_times, at_a_rate"] = {
            **times,
            **measure(deliveries // 10, rate=SLOW_RATE),
        }
        result["assumed_service_times, burst"] = {**times, **measure(deliveries // 10)}

    rng = random.Random(1)  # noqa: S311  a fixed order, no secret
    with (
        Proxy(on.service.url, lambda call: _refuse(call, rng)).running() as proxy,
        load.served(on.own, on.python, on.env(service=proxy.url), on.folder) as handlers,
    ):
        result["run_job_answers_429, burst"] = {
            "share": REFUSED,
            **load.measure(handlers, on.service, on.store, deliveries // 5),
        }
    return result


def _refuse(call: Call, rng: random.Random) -> Fault | None:
    if ":run" in call.path and rng.random() < REFUSED:
        return Fault(kind=Kind.STATUS, status=429)
    return None


def write(out: Path, name: str, figures: dict[str, Any]) -> None:
    """Write a result, with the machine that it was measured on."""
    result = {"machine": machine(), **figures}
    (out / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    lines = [f"# {name.capitalize()}", "", in_words(result["machine"]), "", *_rows(figures), ""]
    (out / f"{name}.md").write_text("\n".join(lines))
    print("\n".join(lines))


def _rows(figures: dict[str, Any]) -> list[str]:
    """Return single figures as a list, groups of figures as tables with a column per group."""
    single = [f"- {_words(k)}: {v}" for k, v in figures.items() if not isinstance(v, dict)]
    tables: list[dict[str, dict[str, Any]]] = []
    for name, value in figures.items():
        if not isinstance(value, dict):
            continue
        column = _flat(value)
        if not tables or not column.keys() & _figures(tables[-1]).keys():
            tables.append({})
        tables[-1][name] = column
    return [*single, *(line for table in tables for line in ["", *_table(table)])]


def _table(columns: dict[str, dict[str, Any]]) -> list[str]:
    rows = ["| | " + " | ".join(_words(name) for name in columns) + " |"]
    rows.append("|---|" + "--:|" * len(columns))
    for figure in _figures(columns):
        cells = [str(column.get(figure, "")) for column in columns.values()]
        rows.append(f"| {_words(figure)} | " + " | ".join(cells) + " |")
    return rows


def _figures(columns: dict[str, dict[str, Any]]) -> dict[str, None]:
    return dict.fromkeys(figure for column in columns.values() for figure in column)


def _flat(figures: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in figures.items():
        nested = isinstance(value, dict)
        flat |= _flat(value, f"{prefix}{key}: ") if nested else {f"{prefix}{key}": value}
    return flat


def _words(name: str) -> str:
    return name.replace("_", " ")


if __name__ == "__main__":
    sys.exit(main())
