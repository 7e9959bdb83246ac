"""`python -m bench.trigger`: cold start and memory; `--load N` adds a burst of N messages."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.machine import in_words, machine
from bench.trigger import bare, cold, load
from tests.fakes import cloud_run, function, gcs
from tests.fakes.cloud_run import Job

HERE = Path(__file__).parent
JOB = "projects/p/locations/l/jobs/mmm-trainer"


def main() -> None:
    """Measure, print, and write the results next to this file."""
    parser = argparse.ArgumentParser(prog="python -m bench.trigger", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--load", type=int, default=0, metavar="N")
    parser.add_argument("--out", type=Path, default=HERE)
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-trigger-")))
        storage = stack.enter_context(gcs.running())
        service = stack.enter_context(cloud_run.running())
        service.deploy(Job(name="mmm-trainer", command=()))
        storage.create_bucket("bench")
        env = {
            "MMM_BUCKET": "gs://bench",
            "MMM_EVENTS_TOPIC": str(folder / "events.jsonl"),
            "MMM_JOB": JOB,
            "MMM_RUN_ENDPOINT": service.url,
            "MMM_PROJECT": "p",
            "STORAGE_EMULATOR_HOST": storage.url,
            "PATH": os.environ["PATH"],
        }
        source = function.unpack(folder)
        yardstick = folder / "bare"
        yardstick.mkdir()
        (yardstick / "main.py").write_text(bare.MAIN)
        python = function.clean_environment(folder / "venv", source / "requirements.txt")
        sources = {"trigger": source, "bare": yardstick}
        cold_start: dict[str, Any] = {
            "archive_kb": round((folder / "trigger.zip").stat().st_size / 1024, 1),
            "trigger": cold.imports(source, python, env, given.rounds),
        }
        served = cold.serve_rounds(sources, python, env, folder, given.rounds)
        for name, figures in served.items():
            cold_start.setdefault(name, {}).update(figures)
        write(given.out, "cold", {"rounds": given.rounds, **cold_start})
        if given.load:
            shutil.rmtree(yardstick / "__pycache__", ignore_errors=True)
            write(given.out, "load", load.burst(sources, python, env, folder, service, given.load))


def write(out: Path, name: str, figures: dict[str, Any]) -> None:
    """Keep a result with the machine that it was taken on."""
    result = {"machine": machine(), **figures}
    (out / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    lines = [f"# {name.capitalize()}", "", in_words(result["machine"]), "", *_rows(figures), ""]
    (out / f"{name}.md").write_text("\n".join(lines))
    print("\n".join(lines))


def _rows(figures: dict[str, Any], prefix: str = "") -> list[str]:
    rows: list[str] = []
    for key, value in figures.items():
        if isinstance(value, dict):
            rows += _rows(value, f"{prefix}{key}: ")
        else:
            rows.append(f"- {prefix}{key.replace('_', ' ')}: {value}")
    return rows


if __name__ == "__main__":
    main()
