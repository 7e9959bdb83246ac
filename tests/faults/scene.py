"""The set-up of one seed: stand-ins, the faults between them, messages and operators."""

from __future__ import annotations

import base64
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from contract import layout, runid
from contract.exceptions import MMMError
from contract.lease import Lease
from contract.run import Status, read_status
from contract.stores import Store, open_store
from contract.topics import Publisher, open_topic
from contract.topics.jsonl import FileTopic
from job.outputs.tables import HYPERPARAMETERS, RUN_COLUMNS, SCHEMAS
from mmm.cancel import cancel
from tests.fakes import cloud_run, eventarc, function, gcs
from tests.fakes.cloud_run import FakeCloudRun, Job
from tests.fakes.gcs import FakeGCS
from tests.fakes.ports import stop
from tests.fakes.proxy import Proxy
from tests.fakes.wire import Mode, Wire
from tests.faults.plan import Plan
from tests.faults.rules import Breaker, add_rules
from tests.faults.worker import LEASE_SECONDS
from tests.unit.report.conftest import metrics, tables
from trigger import launch
from trigger.accept import accept
from trigger.cloud_run import CloudRunLauncher
from trigger.delivery import Delivery
from trigger.reconcile import reconcile

ROOT = Path(__file__).resolve().parents[2]
JOB = "projects/p/locations/l/jobs/mmm-trainer"
REQUESTS = "projects/p/topics/mmm-requests"
RETRIES = 2
SILENCE = timedelta(seconds=30)
CHANNELS = ["tv", "search"]
CONFIG = {
    "version": 1,
    "market": "DE",
    "revision": "r1",
    "source": {"type": "file", "path": str(ROOT / "examples" / "data" / "de_weekly.csv")},
    "date": {"column": "DATE", "start": "2022-01-03", "frequency": "week"},
    "target": {"column": "REVENUE", "kind": "revenue"},
    "channels": [
        {"name": "tv", "spend": "TV_COST", "exposure": "TV_GRP"},
        {"name": "search", "spend": "SEARCH_COST", "exposure": "SEARCH_CLICKS"},
    ],
    "training": {"trials": 3, "iterations": 60, "engine": "builtin", "prophet": ["trend"]},
    "posterior": {"enabled": False},
}
FUNCTION = """
import os
from datetime import UTC, datetime, timedelta
from contract import run as states
off = timedelta(seconds=int(os.environ["CLOCK"]))
states.now = lambda: datetime.now(UTC) + off
from trigger import launch
launch.CLAIM = timedelta(seconds=2)
from trigger.main import on_message
"""


def message(number: int, at: datetime, tasks: int = 1) -> Delivery:
    """Return the request number `number`; each has a later time and another seed."""
    training = {**CONFIG["training"], "seed": 123 + number, "tasks": tasks}  # type: ignore[dict-item]
    return Delivery(
        message_id=str(number),
        publish_time=(at + timedelta(seconds=number)).isoformat(),
        topic=REQUESTS,
        data=json.dumps({"config": {**CONFIG, "training": training}}).encode(),
    )


def make_training(folder: Path) -> Path:
    """Write the results of a finished training, and return an Rscript that pretends to train."""
    output = folder / "output" / "tables"
    output.mkdir(parents=True)
    for name, rows in tables(CHANNELS).items():
        schema = SCHEMAS[name]
        columns = [n for n in schema.names if n not in RUN_COLUMNS]
        table = pa.Table.from_pylist(rows, schema=schema).select(columns)
        for number, column in enumerate(columns):
            kind = schema.field(column).type
            if kind == HYPERPARAMETERS:
                table = table.set_column(number, column, [["{}"] * table.num_rows])
            elif kind == pa.bool_():  # as R writes it
                words = [
                    None if v is None else str(v).upper() for v in table.column(column).to_pylist()
                ]
                table = table.set_column(number, column, [words])
        pa_csv.write_csv(table, output / f"{name}.csv")
    (folder / "output" / "metrics.json").write_text(json.dumps(metrics()))
    script = folder / "Rscript"
    worker = ROOT / "tests" / "faults" / "rscript.py"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {worker} {folder} "$@"\n')
    script.chmod(0o755)
    return script


@dataclass
class Scene:
    """The parts of one seed."""

    plan: Plan
    folder: Path
    storage: FakeGCS
    service: FakeCloudRun
    job_proxy: Proxy
    trigger_proxy: Proxy
    service_proxy: Proxy
    bucket: str
    topic: str
    wire: Wire | None
    injected: list[str]
    stack: ExitStack
    served: function.Function | None = None
    messages: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        at = datetime.now(UTC) - timedelta(minutes=1)
        self.messages = [message(n, at, self.plan.tasks) for n in range(self.plan.messages)]
        self.store = open_store(self.bucket)
        self.publisher: Publisher = open_topic(self.topic)
        self.launcher = CloudRunLauncher.connect(JOB, endpoint=self.service_proxy.url)
        os.environ["STORAGE_EMULATOR_HOST"] = self.storage.url
        self.direct_store: Store = open_store(self.bucket)  # without faults

    # requests

    @property
    def run_ids(self) -> list[str]:
        return [runid.make(m.key, m.published_at or datetime.now(UTC)) for m in self.messages]

    def deliver(self, one: Delivery) -> None:
        """Deliver one message; a failed delivery is repeated later."""
        if not self.plan.own_process:
            with suppress(MMMError):
                accept(one, store=self.store, publisher=self.publisher, launcher=self.launcher)
            return
        if self.served is None or self.served.process.poll() is not None:
            self.serve()
        assert self.served is not None
        facts = {"messageId": one.message_id, "publishTime": one.publish_time}
        body = {"message": {**facts, "data": base64.b64encode(one.data or b"").decode()}}
        headers = eventarc.headers(facts, one.topic)
        eventarc.post(self.served.url, json.dumps(body).encode(), headers)

    def serve(self) -> None:
        """Start the trigger in a separate process."""
        source = self.folder / "function"
        source.mkdir(exist_ok=True)
        (source / "main.py").write_text(FUNCTION)
        env = {
            **self.environment(self.trigger_proxy),
            "MMM_JOB": JOB,
            "CLOCK": str(self.plan.trigger_clock),
            "MMM_RUN_ENDPOINT": self.service_proxy.url,
        }
        with suppress(RuntimeError):  # killed at its first call; the next delivery starts another
            self.served = function.start(source, env, log=self.folder / "function.log")
            self.stack.callback(stop, self.served.process)

    def environment(self, storage: Proxy) -> dict[str, str]:
        """Return the environment of job and function."""
        emulator = {"PUBSUB_EMULATOR_HOST": self.wire.host} if self.wire else {}
        return {
            "MMM_BUCKET": self.bucket, "MMM_EVENTS_TOPIC": self.topic, "MMM_PROJECT": "p",
            "MMM_DATA_FOLDER": str(ROOT / "examples" / "data"),
            "STORAGE_EMULATOR_HOST": storage.url, "PYTHONPATH": str(ROOT), **emulator,
        }  # fmt: skip

    def deliver_all(self) -> None:
        """Deliver every message several times at once, the newest first."""
        many = [m for m in reversed(self.messages) for _ in range(self.plan.deliveries)]
        if self.plan.deliveries > 1:
            self.injected.append(f"delivered {self.plan.deliveries} times at once")
        if self.plan.reordered:
            self.injected.append("delivered in the wrong order")
        with ThreadPoolExecutor(len(many)) as pool:
            list(pool.map(self.deliver, many))

    # operators

    def execute_again(self) -> str | None:
        """Do `gcloud run jobs execute` with the first run's id; return the execution's name."""
        run_id = self.run_ids[0]
        if self.direct_store.stat(layout.request(run_id)) is None:
            return None
        container: dict[str, Any] = {"env": [{"name": "MMM_RUN_ID", "value": run_id}]}
        if self.plan.by_args:
            container = {"args": ["--run-id", run_id]}
        overrides = {"containerOverrides": [container]}
        execution = self.service.run_job(
            "projects/p/locations/l", "mmm-trainer", overrides, 1, None
        )
        return execution.short_name

    def take_over(self) -> None:
        """While an owner sleeps, wait up to 12 s until another execution has its lease."""
        time.sleep(LEASE_SECONDS + 0.5)
        name = self.execute_again()
        deadline = time.monotonic() + 12
        while name and time.monotonic() < deadline:
            with suppress(MMMError, ValueError):
                blob = self.direct_store.read(layout.lease(self.run_ids[0]))
                if Lease.from_json(blob.data).execution == name:
                    return
            time.sleep(0.1)

    def operate(self) -> None:
        """Execute the run again or cancel it, as an operator might."""
        if self.plan.twice:
            with ThreadPoolExecutor(2) as pool:
                names = list(pool.map(lambda _: self.execute_again(), range(2)))
            self.injected += [f"executed again: {name}" for name in names if name]
        if self.plan.cancel_after is not None:
            time.sleep(self.plan.cancel_after)
            with suppress(MMMError):
                status = cancel(
                    self.run_ids[0], self.direct_store, self.publisher, self.launcher, patience=5
                )
                self.injected.append(f"cancelled: {status.state}")

    # the end

    def settle(self, seconds: float) -> dict[str, Status]:
        """Deliver again and reconcile until every run has ended and its event is published."""
        launch.CLAIM = timedelta(seconds=0.5)
        deadline = time.monotonic() + seconds
        rounds = 0
        while time.monotonic() < deadline:
            for one in self.messages if rounds % 5 == 0 else ():
                self.deliver(one)
            rounds += 1
            states = {run_id: read_status(self.direct_store, run_id) for run_id in self.run_ids}
            over = all(s is not None and s.state.is_terminal for s in states.values())
            if over and self.wire and all(e.done.is_set() for e in self.executions):
                self.wire.set(Mode.OPEN)
            with suppress(MMMError):
                passed = reconcile(self.store, self.publisher, self.launcher, silence=SILENCE)
                if over and not passed.problems and set(passed.results) <= {"closed"}:
                    return {run_id: status for run_id, status in states.items() if status}
            time.sleep(1)
        raise AssertionError(f"runs are not closed after {seconds:.0f} s: {states}")

    @property
    def executions(self) -> list[Any]:
        return list(self.service.executions.values())

    def events(self) -> list[dict[str, Any]]:
        """Return all published events."""
        if self.wire is None:
            bodies = [m["data"] for m in FileTopic(Path(self.topic)).messages()]
            return [json.loads(base64.b64decode(body)) for body in bodies]
        from google.cloud import pubsub_v1

        with pubsub_v1.SubscriberClient() as subscriber:
            name = self.topic.replace("/topics/", "/subscriptions/")
            found: list[dict[str, Any]] = []
            for _ in range(20):
                answer = subscriber.pull(subscription=name, max_messages=50, timeout=5)
                found += [json.loads(m.message.data) for m in answer.received_messages]
                if answer.received_messages:
                    return found
        return found


@contextmanager
def scene(plan: Plan, folder: Path, emulator: str | None) -> Iterator[Scene]:
    """Start the parts of a seed; `emulator` is the address of a Pub/Sub emulator, if one runs."""
    injected: list[str] = []
    scratch = folder / "tmp"
    scratch.mkdir()
    script = str(make_training(folder))
    if plan.real_r and shutil.which("Rscript"):
        script = "Rscript"
        injected.append("trained with the real R")
    with ExitStack() as stack:
        stack.callback(_restore, dict(os.environ), launch.CLAIM)
        storage = stack.enter_context(gcs.running(folder / "storage"))
        service = stack.enter_context(cloud_run.running())
        calls = Breaker("job", plan.job, injected)
        job_proxy = stack.enter_context(Proxy(storage.url, calls).running())
        others = Breaker("trigger", plan.trigger, injected)
        trigger_proxy = stack.enter_context(Proxy(storage.url, others).running())
        service_proxy = stack.enter_context(
            Proxy(service.url, Breaker("run", plan.service, injected)).running()
        )
        name = f"chaos-{plan.seed}"
        storage.create_bucket(name)
        os.environ |= {"STORAGE_EMULATOR_HOST": trigger_proxy.url, "MMM_PROJECT": "p"}
        topic, wire = str(folder / "events.jsonl"), None
        if plan.topic and emulator:
            topic, wire = make_topic(plan.seed, emulator), stack.enter_context(_wire(emulator))
            os.environ["PUBSUB_EMULATOR_HOST"] = wire.host
            wire.set(Mode(plan.topic))
            injected.append(f"topic {plan.topic}")
        one = Scene(
            plan=plan, folder=folder, storage=storage, service=service, job_proxy=job_proxy,
            trigger_proxy=trigger_proxy, service_proxy=service_proxy, bucket=f"gs://{name}",
            topic=topic, wire=wire, injected=injected, stack=stack,
        )  # fmt: skip
        calls.meanwhile = one.take_over
        add_rules(plan, calls, others, one)
        service.deploy(
            Job(
                name="mmm-trainer",
                command=[sys.executable, "-m", "tests.faults.worker"],
                env={
                    **one.environment(job_proxy), "MMM_RSCRIPT": str(script), "TMPDIR": str(scratch),
                    "CLOCKS": ",".join(map(str, plan.clocks)),
                    "DISKS": ",".join(map(str, plan.disks)),
                },
                max_retries=RETRIES,
                grace=10,
                log_dir=folder / "logs",
            )
        )  # fmt: skip
        if plan.moment:
            for run_id in one.run_ids:
                (folder / f"{run_id}.kill").write_text(f"{plan.moment} {plan.victim}")
        launch.CLAIM = timedelta(seconds=90)
        yield one
        injected += [f"kill -9 of {plan.victim} at {plan.moment}" for _ in folder.glob("*.killed")]
        injected += [f"the job's clock is wrong by {off} s" for off in plan.clocks if off]
        if plan.own_process and plan.trigger_clock:
            injected.append(f"the trigger's clock is wrong by {plan.trigger_clock} s")
        injected += [f"files are limited to {most} bytes" for most in plan.disks if most]


def _restore(environment: dict[str, str], claim: timedelta) -> None:
    os.environ.clear()
    os.environ.update(environment)
    launch.CLAIM = claim


@contextmanager
def _wire(emulator: str) -> Iterator[Wire]:
    host, _, port = emulator.partition(":")
    with Wire(host, int(port)).running() as wire:
        yield wire


def make_topic(seed: int, emulator: str) -> str:
    """Make a topic for the seed, with a subscription; both bypass the wire."""
    from google.cloud import pubsub_v1

    os.environ["PUBSUB_EMULATOR_HOST"] = emulator
    name = f"projects/p/topics/events-{os.getpid()}-{seed}"
    publisher = pubsub_v1.PublisherClient()
    publisher.create_topic(name=name)
    with pubsub_v1.SubscriberClient() as subscriber:
        subscriber.create_subscription(name=name.replace("/topics/", "/subscriptions/"), topic=name)
    publisher.stop()
    publisher.transport.close()
    return name
