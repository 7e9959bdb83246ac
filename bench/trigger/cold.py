"""Cold start: import, first answer and memory, each in a new process in a clean environment."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from tests.fakes import eventarc, function
from tests.fakes.ports import stop

IMPORT = """
import resource, time
began = time.perf_counter()
import main
from trigger.main import _launcher, _store
_store(), _launcher()
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
CONFIG = {
    "version": 1,
    "market": "DE",
    "revision": "r1",
    "source": {"type": "file", "path": "data.csv"},
    "date": {"column": "DATE"},
    "target": {"column": "REVENUE"},
    "channels": [{"name": "tv", "spend": "TV_COST"}],
}


def push(data: dict[str, Any], message_id: str | None = None) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of one delivery."""
    import base64

    message = {
        "messageId": message_id or uuid.uuid4().hex,
        "publishTime": datetime.now(UTC).isoformat(),
        "data": base64.b64encode(json.dumps(data).encode()).decode(),
        "attributes": {},
    }
    body = json.dumps({"message": message, "subscription": "projects/p/subscriptions/s"}).encode()
    return body, eventarc.headers(message, "projects/p/topics/mmm-requests")


def imports(source: Path, python: str, env: Mapping[str, str], rounds: int) -> dict[str, float]:
    """Measure the seconds and MB that it takes to import the function and make its clients."""
    seconds, memory = [], []
    for _ in range(rounds):
        output = subprocess.run(
            [python, "-c", IMPORT], cwd=source, env=dict(env), capture_output=True, text=True,
            check=True,
        ).stdout.splitlines()[-1]  # fmt: skip
        took, peak = map(float, output.split())
        seconds.append(took)
        memory.append(peak)
    return {
        "import_and_clients_s": round(statistics.median(seconds), 3),
        "peak_mb": round(statistics.median(memory), 1),
    }


def first_answer(
    source: Path, python: str, env: Mapping[str, str], log: Path
) -> tuple[float, float]:
    """Return the seconds from start to the first acknowledgement, and the MB of the worker."""
    began = time.perf_counter()
    served = function.start(source, env, log=log, python=python)
    try:
        body, headers = push({"config": CONFIG})
        status = eventarc.post(served.url, body, headers)
        took = time.perf_counter() - began
        if status != 200:
            raise RuntimeError(f"the function answered {status}: {log.read_text()[-2000:]}")
        tree = psutil.Process(served.process.pid)
        memory = max(p.memory_info().rss for p in (tree, *tree.children(recursive=True)))
    finally:
        stop(served.process)
    return took, memory / 2**20


def serve_rounds(
    sources: Mapping[str, Path], python: str, env: Mapping[str, str], folder: Path, rounds: int
) -> dict[str, dict[str, float]]:
    """Measure the first answers of several functions, in turn."""
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in sources}
    for number in range(rounds):
        for name, source in sources.items():
            log = folder / f"{name}-{number}.log"
            measured[name].append(first_answer(source, python, env, log))
    return {
        name: {
            "first_answer_s": round(statistics.median(took for took, _ in values), 3),
            "worker_mb": round(statistics.median(memory for _, memory in values), 1),
        }
        for name, values in measured.items()
    }
