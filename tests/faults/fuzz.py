"""Fuzz everything that is read from outside: `python -m tests.faults.fuzz --inputs 100000 --seed 1`.

Each target reads an input as the project does. It may accept the input, or refuse it with an
MMMError whose message can be printed on a terminal. Anything else is a finding, and so is an input
that takes MAX_SECONDS of CPU. The smallest input that shows a finding is printed. The last line is
the summary; the exit code is 1 if there are findings. The same seed gives the same inputs. With
`--coverage`, atheris chooses the inputs, if it is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from contract import events, layout, runid
from contract.base import canonical_json
from contract.documents import MAX_CONFIG_BYTES
from contract.exceptions import MMMError
from contract.lease import Lease, live_lease
from contract.loading import load_config
from contract.message import parse_message
from contract.request import stored_request
from contract.run import change_status, now, read_status
from contract.source import FileSource
from contract.stores.folder import FolderStore
from job.attempt.lease import LeaseHolder, claim
from job.outputs.promote import promote
from job.runtime.settings import Settings
from job.runtime.workspace import Workspace
from job.sources import relation
from job.train.job_file import r_job
from mmm.commands.common import parse_overrides
from mmm.dead_letters import rejected_letters
from tests.faults import inputs
from tests.faults.model import Service, Topic
from trigger.reconcile import reconcile

MAX_CHARACTERS = 20_000
MAX_SECONDS = 5.0  # the maximum CPU time of one input
PORTION = 2_500  # inputs that hypothesis draws at once, because it remembers all of them


def config(text: bytes) -> None:
    """Load a config file, and use an accepted one."""
    resolved = load_config(text, origin="de.yaml").config
    assert load_config(resolved.model_dump(mode="json")).config.hash() == resolved.hash()
    job = r_job(
        resolved,
        run_id=inputs.RUN_ID,
        workspace=Workspace(root=Path("/w")),
        cores=1,
        holidays=False,
        window=("2022-01-03", "2024-12-30"),
        nevergrad_python=Path("python3"),
    )
    json.dumps(job, allow_nan=False)
    if not isinstance(resolved.source, FileSource):
        relation.source_relation(resolved.source, resolved.source.type).sql(
            dialect=resolved.source.type
        )


def message(data: bytes) -> None:
    """Parse the data of a message."""
    parsed = parse_message(data)
    if parsed.config is not None:
        resolved = load_config(parsed.config, origin="message", overrides=parsed.overrides)
        canonical_json(resolved.origins)


def query(text: bytes) -> None:
    """Parse a config's query in every dialect; the generated query must be readable again."""
    text = text[:MAX_CONFIG_BYTES]
    for dialect in ("duckdb", "snowflake", "bigquery"):
        with suppress(MMMError):
            written = relation.query(text.decode("utf-8", "replace"), dialect).sql(dialect=dialect)
            relation.query(written, dialect)


def assignments(given_: list[str]) -> None:
    """Parse values of `--set` on the command line."""
    load_config(inputs.CONFIG, overrides=parse_overrides(given_))


def bucket(objects: dict[str, bytes]) -> None:
    """Read a run with damaged objects in every way that the project does."""
    with tempfile.TemporaryDirectory(dir=_fast_folder()) as folder:
        store, run_id = FolderStore(Path(folder)), inputs.RUN_ID
        places = {
            "status": layout.status(run_id),
            "request": layout.request(run_id),
            "lease": layout.lease(run_id),
            "event": layout.event(run_id, "e"),
            "key": layout.key("k"),
            "current": layout.current("r1", "DE"),
            "closed": layout.closed_runs(),
            "rejected": layout.rejected("x"),
        }
        for name, data in objects.items():
            store.write(places[name], data)
            if name == "lease":  # expired: a damaged lease is not taken over before
                os.utime(store.root / places[name], (0, 0))
        me = Settings.read(bucket=folder, topic="t.jsonl")
        for read in (
            lambda: read_status(store, run_id),
            lambda: change_status(store, run_id, lambda old: {"attempt": old.attempt + 1}),
            lambda: stored_request(store, run_id),
            lambda: live_lease(store, run_id, at=now()),
            lambda: _claimed(claim(store, run_id, me)),
            lambda: runid.for_key(store, "k", now()),
            lambda: promote(
                store, run_id=run_id, market="DE", revision="r1", accepted_at=now(), facts={}
            ),
            lambda: list(rejected_letters(store)),
            lambda: events.flush(store, Topic(), run_id),
        ):
            with suppress(MMMError):
                read()
        reconcile(store, Topic(), Service())  # a damaged run must not stop the pass


def delivery(request: tuple[dict[str, str], bytes]) -> None:
    """Send a delivery to the function; it must accept it, refuse it or answer 503."""
    headers, body = request
    answer = _function().post("/", data=body, headers=headers)
    fine = answer.status_code == 503 or answer.status_code < 500
    assert fine, (answer.status_code, answer.data[:500])


@dataclass
class Target:
    """A function and its inputs; `share` is its part of all inputs."""

    feed: Callable[[Any], None]
    drawn: st.SearchStrategy[Any]
    share: float
    made: int = 0
    slowest: float = 0.0
    findings: list[str] = field(default_factory=list)

    def take(self, value: Any) -> None:
        """Feed one input; an MMMError with a readable message is allowed."""
        self.made += 1
        began = time.process_time()
        try:
            self.feed(value)
        except MMMError as error:
            text = str(error)
            assert text, "the error has no message"
            assert len(text) < MAX_CHARACTERS, f"the error has {len(text)} characters"
            assert all(c.isprintable() or c in "\n\t" for c in text), f"unprintable: {text!r}"
        finally:
            seconds = time.process_time() - began
            self.slowest = max(self.slowest, seconds)
        assert seconds < MAX_SECONDS, f"the input took {seconds:.1f} s of CPU"


def targets() -> dict[str, Target]:
    """Return a target for every kind of input."""
    return {
        "config": Target(config, inputs.config_texts(), 0.3),
        "message": Target(message, inputs.message_data(), 0.2),
        "delivery": Target(delivery, inputs.envelopes(), 0.2),
        "bucket": Target(bucket, inputs.buckets(), 0.15),
        "query": Target(query, inputs.queries, 0.1),
        "set": Target(assignments, inputs.assignments, 0.05),
    }


def run(target: Target, *, number: int, seed_: int) -> None:
    """Feed a target, a portion at a time, until it has a finding."""
    for first in range(0, number, PORTION):
        _run(target, number=min(PORTION, number - first), seed_=seed_ + 1_000_003 * first)
        if target.findings:
            return


def _run(target: Target, *, number: int, seed_: int) -> None:
    @seed(seed_)
    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        print_blob=False,
    )
    @given(target.drawn)
    def feed(value: Any) -> None:
        target.take(value)

    try:
        feed()
    except BaseException as error:  # any error is a finding
        if isinstance(error, KeyboardInterrupt):
            raise
        summary = f"{type(error).__name__}: {error}"
        where = "".join(traceback.format_exception(error))
        target.findings.append(f"{summary[:1000]}\n{where[-6000:]}")


def main() -> int:
    """Feed all targets; return 1 if there are findings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=sorted(targets()), action="append")
    parser.add_argument("--coverage", action="store_true", help="let atheris choose the inputs")
    options = parser.parse_args()
    began, made = time.monotonic(), targets()
    chosen = {name: made[name] for name in options.target or made}
    whole = sum(target.share for target in chosen.values())
    for name, target in chosen.items():
        number = max(1, round(options.inputs * target.share / whole))
        (_covered if options.coverage else run)(target, number=number, seed_=options.seed)
        print(
            f"{name}: {target.made} inputs, the slowest {target.slowest * 1000:.0f} ms", flush=True
        )
        for finding in target.findings:
            print(finding, file=sys.stderr)
    found = sum(len(target.findings) for target in chosen.values())
    print(
        f"fuzz: seed {options.seed}, {sum(t.made for t in chosen.values())} inputs, "
        f"{found} unhandled exceptions, {time.monotonic() - began:.0f} s"
    )
    return 1 if found else 0


def _covered(target: Target, *, number: int, seed_: int) -> None:
    """Let atheris choose inputs by coverage, in a separate process, which libFuzzer ends."""
    name = target.feed.__name__ if target.feed is not assignments else "set"
    command = [sys.executable, "-m", "tests.faults.fuzz_coverage", name, str(number), str(seed_)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    target.made = number
    if done.returncode != 0:
        target.findings.append((done.stdout + done.stderr)[-6000:])


def _claimed(taken: LeaseHolder | Lease) -> None:
    if isinstance(taken, LeaseHolder):
        taken.release()


def _fast_folder() -> str | None:
    """Return a folder in memory, if there is one, because every input gets a new bucket."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@cache
def _function() -> Any:
    """Return the function in its framework; a folder is the bucket and a list is Cloud Run."""
    import atexit

    import functions_framework

    folder = tempfile.mkdtemp(prefix="fuzz-", dir=_fast_folder())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ |= {
        "MMM_BUCKET": folder,
        "MMM_EVENTS_TOPIC": f"{folder}/events.jsonl",
        "MMM_JOB": "projects/p/locations/l/jobs/j",
        "MMM_MAX_MESSAGE_AGE_HOURS": "900000",
    }
    app = functions_framework.create_app("on_message", str(Path("trigger/main.py").resolve()))
    module: Any = sys.modules["main"]
    module.log.disabled = True
    service = Service()

    def launcher() -> Service:
        service.executions.clear()
        return service

    module._launcher = launcher
    app.config["PROPAGATE_EXCEPTIONS"] = True  # raise the error instead of answering with a page
    return app.test_client()


if __name__ == "__main__":
    sys.exit(main())
